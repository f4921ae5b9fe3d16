/** Sign-ins to the console, which can be ended from here. */

import { useState } from 'react';

import Badge from '@cloudscape-design/components/badge';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Toggle from '@cloudscape-design/components/toggle';

import { endSignIn, signIns, type SignInRecord } from '../../api/console.ts';
import { notify } from '../../app/notifications.ts';
import { signOut } from '../../sign-in/state.ts';
import { settingsTexts } from '../../texts/settings.ts';
import { reported } from '../../ui/forms/reported.ts';
import { useResource } from '../../ui/resource.ts';
import { Listing } from '../../ui/table/Listing.tsx';
import { Time } from '../../ui/Time.tsx';
import { visibleLine } from '../../ui/visible.ts';

const texts = settingsTexts.signIns;

export function SignIns() {
  const [isAll, setIsAll] = useState(false);
  const list = useResource((signal) => signIns(isAll ? 'all' : 'own', signal), [isAll]);
  const end = async ({ id, current }: SignInRecord) => {
    if (current) {
      await reported(signOut());
      return;
    }
    if (await reported(endSignIn(id))) {
      notify({ type: 'success', header: texts.ended });
    }
    list.reload();
  };
  return (
    <Listing
      title={texts.title}
      description={texts.description}
      things={texts.things}
      variant="container"
      resource={list}
      keyOf={({ id }) => id}
      textOf={({ userName, sourceIp, userAgent }) => `${userName} ${sourceIp} ${userAgent}`}
      columns={[
        {
          id: 'from',
          header: texts.from,
          isRowHeader: true,
          cell: ({ sourceIp, current }) => (
            <SpaceBetween direction="horizontal" size="xs">
              <span>{visibleLine(sourceIp)}</span>
              {current && <Badge color="blue">{texts.here}</Badge>}
            </SpaceBetween>
          ),
        },
        { id: 'user', header: texts.user, sortBy: ({ userName }) => userName, cell: ({ userName }) => visibleLine(userName) },
        { id: 'program', header: texts.program, cell: ({ userAgent }) => visibleLine(userAgent) || settingsTexts.absent },
        { id: 'since', header: texts.since, sortBy: ({ signedInAt }) => signedInAt, cell: ({ signedInAt }) => <Time at={signedInAt} /> },
        {
          id: 'used',
          header: texts.used,
          sortBy: ({ lastUsedAt }) => lastUsedAt,
          cell: ({ lastUsedAt }) => <Time at={lastUsedAt} form="relative" />,
        },
        { id: 'until', header: texts.until, cell: ({ expiresAt }) => <Time at={expiresAt} form="relative" /> },
        {
          id: 'end',
          header: texts.end,
          cell: (row) => (
            <Button
              variant="inline-link"
              ariaLabel={texts.endLabel(visibleLine(row.sourceIp), visibleLine(row.userAgent))}
              onClick={() => void end(row)}
            >
              {texts.end}
            </Button>
          ),
        },
      ]}
      empty={{ title: texts.empty, body: '' }}
      actions={
        <Toggle checked={isAll} onChange={({ detail }) => setIsAll(detail.checked)}>
          {texts.all}
        </Toggle>
      }
    />
  );
}
