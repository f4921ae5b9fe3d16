/** Where one is signed in, and the way to end that. */

import Badge from '@cloudscape-design/components/badge';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';

import { endSignIn, signIns, type SignInRecord } from '../../api/console.ts';
import { notify } from '../../app/notifications.ts';
import { replaceQuery, useLocation } from '../../router/location.ts';
import { askSignIn } from '../../sign-in/state.ts';
import { signInTexts } from '../../texts/sign-in.ts';
import { problemOf } from '../../ui/problem.ts';
import { ProblemAlert } from '../../ui/ProblemAlert.tsx';
import { useResource } from '../../ui/resource.ts';
import { Time } from '../../ui/Time.tsx';
import { visibleLine } from '../../ui/visible.ts';
import { browserOf } from './browser.ts';

const texts = signInTexts.signIns;

export default function SignInsPage() {
  const { query } = useLocation();
  const of = query.get('of') === 'all' ? 'all' : 'own';
  const records = useResource((signal) => signIns(of, signal), [of]);

  function end(record: SignInRecord): void {
    endSignIn(record.id).then(
      () => {
        notify({ type: 'success', header: texts.ended });
        return record.current ? askSignIn() : records.reload();
      },
      (error: unknown) => {
        const { header, message } = problemOf(error);
        notify({ type: 'error', header, content: message });
      },
    );
  }

  return (
    <Table
      variant="container"
      items={records.value ?? []}
      trackBy="id"
      loading={records.isLoading && !records.value}
      loadingText={texts.loading}
      ariaLabels={{ tableLabel: texts.title }}
      header={
        <SpaceBetween size="s">
          <Header variant="h1" counter={records.value && `(${records.value.length})`} description={texts.description}>
            {texts.title}
          </Header>
          <SegmentedControl
            label={texts.whose}
            selectedId={of}
            onChange={({ detail }) => replaceQuery(new URLSearchParams({ of: detail.selectedId }))}
            options={[
              { id: 'own', text: texts.own },
              { id: 'all', text: texts.all },
            ]}
          />
        </SpaceBetween>
      }
      empty={
        records.error === undefined ? (
          <Box color="inherit">{texts.empty}</Box>
        ) : (
          <ProblemAlert error={records.error} retry={records.reload} />
        )
      }
      columnDefinitions={[
        {
          id: 'user',
          header: texts.user,
          isRowHeader: true,
          cell: ({ userName, current }) => (
            <SpaceBetween direction="horizontal" size="xs">
              {visibleLine(userName)}
              {current && <Badge color="blue">{texts.current}</Badge>}
            </SpaceBetween>
          ),
        },
        { id: 'from', header: texts.from, cell: ({ sourceIp }) => visibleLine(sourceIp) },
        { id: 'browser', header: texts.browser, cell: ({ userAgent }) => <span title={visibleLine(userAgent)}>{visibleLine(browserOf(userAgent))}</span> },
        { id: 'signed-in', header: texts.signedIn, cell: ({ signedInAt }) => <Time at={signedInAt} form="relative" /> },
        { id: 'last-used', header: texts.lastUsed, cell: ({ lastUsedAt }) => <Time at={lastUsedAt} form="relative" /> },
        { id: 'expires', header: texts.expires, cell: ({ expiresAt }) => <Time at={expiresAt} form="relative" /> },
        {
          id: 'end',
          header: texts.action,
          minWidth: 120,
          cell: (record) => (
            <Button variant="inline-link" ariaLabel={texts.endNamed(visibleLine(record.userName), visibleLine(record.sourceIp))} onClick={() => end(record)}>
              {texts.end}
            </Button>
          ),
        },
      ]}
    />
  );
}
