/** The managed policies of somebody. */

import { useState } from 'react';

import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';

import type { AttachedPolicy, Policy } from '../../../api/generated/iam.ts';
import { notify } from '../../../app/notifications.ts';
import { href } from '../../../router/location.ts';
import { accessTexts } from '../../../texts/access.ts';
import { partTexts } from '../../../texts/parts.ts';
import { useResource } from '../../../ui/resource.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { attachedPolicies, attachPolicy, detachPolicy, type Holder } from '../holder.ts';
import { isOfAws, policies } from '../iam.ts';
import { ChooseModal } from '../../../ui/forms/ChooseModal.tsx';
import { Listing } from '../../../ui/table/Listing.tsx';
import { reported } from '../../../ui/forms/reported.ts';
import { policyPath } from '../paths.ts';

const texts = accessTexts.permissions;

export function AttachedPolicies({ holder }: { readonly holder: Holder }) {
  const attached = useResource((signal) => attachedPolicies(holder, signal), [holder.kind, holder.name]);
  const [isAttaching, setIsAttaching] = useState(false);
  const detach = async (policy: AttachedPolicy) => {
    if (await reported(detachPolicy(holder, policy.PolicyArn ?? ''))) {
      notify({ type: 'success', header: texts.detached(visibleLine(policy.PolicyName ?? '')) });
      attached.reload();
    }
  };
  return (
    <>
      <Listing
        title={texts.attached}
        things={accessTexts.policies.things}
        variant="container"
        resource={attached}
        keyOf={({ PolicyArn = '' }) => PolicyArn}
        textOf={({ PolicyName = '' }) => PolicyName}
        columns={[
          {
            id: 'name',
            header: accessTexts.name,
            isRowHeader: true,
            sortBy: ({ PolicyName = '' }) => PolicyName,
            cell: ({ PolicyName = '', PolicyArn = '' }) => <Link href={href(policyPath(PolicyArn))}>{visibleLine(PolicyName)}</Link>,
          },
          {
            id: 'type',
            header: accessTexts.type,
            sortBy: ({ PolicyArn = '' }) => String(isOfAws(PolicyArn)),
            cell: ({ PolicyArn = '' }) => (isOfAws(PolicyArn) ? accessTexts.ofAws : accessTexts.ofAccount),
          },
          {
            id: 'actions',
            header: partTexts.list.actions,
            cell: (policy) => (
              <Button
                variant="inline-link"
                ariaLabel={`${texts.detach} ${visibleLine(policy.PolicyName ?? '')}`}
                onClick={() => void detach(policy)}
              >
                {texts.detach}
              </Button>
            ),
          },
        ]}
        empty={{ title: texts.noAttached, body: texts.noAttachedBody }}
        actions={<Button onClick={() => setIsAttaching(true)}>{texts.attach}</Button>}
      />
      {isAttaching && attached.value && (
        <Attach holder={holder} attached={attached.value} onDone={attached.reload} onClose={() => setIsAttaching(false)} />
      )}
    </>
  );
}

interface AttachProps {
  readonly holder: Holder;
  readonly attached: readonly AttachedPolicy[];
  readonly onDone: () => void;
  readonly onClose: () => void;
}

function Attach({ holder, attached, onDone, onClose }: AttachProps) {
  const others = useResource(
    async (signal) => {
      const there = new Set(attached.map(({ PolicyArn }) => PolicyArn));
      return (await policies(signal)).filter(({ Arn }) => !there.has(Arn));
    },
    [holder.kind, holder.name],
  );
  return (
    <ChooseModal<Policy>
      title={texts.attach}
      listTitle={accessTexts.policies.title}
      things={accessTexts.policies.things}
      submitText={texts.attachHere}
      noOthers={texts.nothingToAttach}
      resource={others}
      keyOf={({ Arn = '' }) => Arn}
      textOf={({ PolicyName = '', Description = '' }) => `${PolicyName} ${Description}`}
      columns={[
        {
          id: 'name',
          header: accessTexts.name,
          isRowHeader: true,
          sortBy: ({ PolicyName = '' }) => PolicyName,
          cell: ({ PolicyName = '' }) => visibleLine(PolicyName),
        },
        {
          id: 'type',
          header: accessTexts.type,
          sortBy: ({ Arn = '' }) => String(isOfAws(Arn)),
          cell: ({ Arn = '' }) => (isOfAws(Arn) ? accessTexts.ofAws : accessTexts.ofAccount),
        },
      ]}
      onChosen={({ Arn = '' }) => attachPolicy(holder, Arn)}
      onDone={(count) => {
        notify({ type: 'success', header: texts.attachedDone(count) });
        onDone();
      }}
      onClose={onClose}
    />
  );
}
