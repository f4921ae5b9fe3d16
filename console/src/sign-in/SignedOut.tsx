/** The pages for who is not signed in. */

export default function SignedOut() {
  return <main />;
}
