/** The addresses of this area. */

export const preferencesPaths = { all: '/preferences', edit: '/preferences/edit' } as const;
