/** Texts of the parts that many pages share. */
export const partTexts = {
  list: {
    filter: (things: string) => `Find ${things}`,
    noMatch: 'Nothing matches the filter',
    clear: 'Clear the filter',
    count: (shown: number, total: number) => (shown === total ? `(${total})` : `(${shown} of ${total})`),
    matches: (count: number) => (count === 1 ? '1 match' : `${count} matches`),
    refresh: 'Refresh',
    actions: 'Actions',
    page: (page: number) => `Page ${page}`,
    nextPage: 'Next page',
    previousPage: 'Previous page',
    pages: 'Pages of the list',
    select: (name: string) => `Select ${name}`,
    selection: 'Selection',
  },

  forms: {
    cancel: 'Cancel',
    close: 'Close',
    save: 'Save',
    copy: 'Copy',
    copied: 'Copied',
    copyFailed: 'Copying failed: mark the text and copy it yourself.',
    nameHint: 'Letters, digits and + = , . @ _ -',
    pathHint: 'Groups names, such as /ops/. Policies can refer to it.',
    optional: 'optional',
  },

  /** Asking before something goes for ever. */
  remove: {
    title: (kind: string) => `Delete ${kind}`,
    body: (name: string) => `This deletes ${name} and cannot be undone.`,
    typeName: (name: string) => `To confirm, type ${name}`,
    confirm: 'Delete',
    done: (name: string) => `${name} was deleted.`,
  },

  denial: {
    missing: (action: string) => `What is missing: ${action}`,
    on: (resource: string) => `on ${resource}`,
    explain: 'Explain in the simulator',
  },

  details: {
    overview: 'Overview',
    tabs: 'Parts of this page',
  },
} as const;
