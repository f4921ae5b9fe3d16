/** The policies that belong to one user, group or role. */

import { useState } from 'react';

import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';

import { href } from '../../../router/location.ts';
import { accessTexts } from '../../../texts/access.ts';
import { partTexts } from '../../../texts/parts.ts';
import { useResource } from '../../../ui/resource.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { deleteInlinePolicy, inlinePolicies, type Holder } from '../holder.ts';
import { ConfirmDelete } from '../../../ui/forms/ConfirmDelete.tsx';
import { Listing } from '../../../ui/table/Listing.tsx';
import { inlinePolicyPath, newInlinePolicyPath } from '../paths.ts';

const texts = accessTexts.permissions;

export function InlinePolicies({ holder }: { readonly holder: Holder }) {
  const policies = useResource((signal) => inlinePolicies(holder, signal), [holder.kind, holder.name]);
  const [deleted, setDeleted] = useState<string>();
  const close = () => setDeleted(undefined);
  return (
    <>
      <Listing
        title={texts.inline}
        description={texts.inlineDescription}
        things={accessTexts.policies.things}
        variant="container"
        resource={policies}
        keyOf={(name) => name}
        textOf={(name) => name}
        columns={[
          {
            id: 'name',
            header: accessTexts.name,
            isRowHeader: true,
            sortBy: (name) => name,
            cell: (name) => <Link href={href(inlinePolicyPath(holder, name))}>{visibleLine(name)}</Link>,
          },
          {
            id: 'actions',
            header: partTexts.list.actions,
            cell: (name) => (
              <Button
                variant="inline-link"
                ariaLabel={`${partTexts.remove.confirm} ${visibleLine(name)}`}
                onClick={() => setDeleted(name)}
              >
                {partTexts.remove.confirm}
              </Button>
            ),
          },
        ]}
        empty={{ title: texts.noInline, body: texts.noInlineBody }}
        actions={<Button href={href(newInlinePolicyPath(holder))}>{texts.addInline}</Button>}
      />
      {deleted !== undefined && (
        <ConfirmDelete
          kind={texts.inline.toLowerCase()}
          name={deleted}
          consequences={accessTexts.remove.inline}
          onDelete={() => deleteInlinePolicy(holder, deleted)}
          onDone={() => {
            close();
            policies.reload();
          }}
          onClose={close}
        />
      )}
    </>
  );
}
