/** The trail: whether it is written, where it is, and how to check it. */

import { useState } from 'react';

import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';

import { all, call } from '../../api/call.ts';
import * as cloudtrail from '../../api/generated/cloudtrail.ts';
import { Loading } from '../../app/Loading.tsx';
import { useSignIn } from '../../sign-in/state.ts';
import { auditTexts } from '../../texts/audit.ts';
import { CopyBlock } from '../../ui/code/CopyBlock.tsx';
import { CopyText } from '../../ui/code/CopyText.tsx';
import { Failure } from '../../ui/denial/Failure.tsx';
import { useResource } from '../../ui/resource.ts';
import { Listing } from '../../ui/table/Listing.tsx';
import { Time } from '../../ui/Time.tsx';
import { visible, visibleLine } from '../../ui/visible.ts';
import { AuditTabs } from './AuditTabs.tsx';

const texts = auditTexts.trail;

export default function TrailPage() {
  const trail = useResource(describe, []);
  return (
    <AuditTabs active="trail">
      <SpaceBetween size="l">
        {trail.error !== undefined && <Failure error={trail.error} retry={trail.reload} />}
        {trail.value === undefined && trail.error === undefined && <Loading />}
        {trail.value && (
          <>
            <State trail={trail.value} />
            <Verify trailArn={trail.value.TrailARN ?? ''} />
          </>
        )}
        <Keys />
      </SpaceBetween>
    </AuditTabs>
  );
}

async function describe(signal: AbortSignal): Promise<cloudtrail.Trail> {
  const { trailList = [] } = await call(cloudtrail.DescribeTrails, {}, signal);
  return trailList[0] ?? {};
}

function State({ trail }: { readonly trail: cloudtrail.Trail }) {
  const arn = trail.TrailARN ?? '';
  const status = useResource((signal) => call(cloudtrail.GetTrailStatus, { Name: arn }, signal), [arn]);
  return (
    <Container header={<Header variant="h1" description={texts.description}>{texts.title}</Header>}>
      <SpaceBetween size="l">
        {status.error !== undefined && <Failure error={status.error} retry={status.reload} />}
        {status.value && <Logging status={status.value} />}
        <KeyValuePairs
          columns={3}
          items={[
            { label: texts.name, value: visibleLine(trail.Name ?? '') },
            { label: texts.arn, value: <CopyText text={arn} /> },
            { label: texts.bucket, value: <CopyText text={trail.S3BucketName ?? ''} /> },
            { label: texts.region, value: visibleLine(trail.HomeRegion ?? '') },
            { label: texts.validation, value: trail.LogFileValidationEnabled ? texts.on : texts.off },
          ]}
        />
      </SpaceBetween>
    </Container>
  );
}

function Logging({ status }: { readonly status: cloudtrail.GetTrailStatusOutput }) {
  if (status.IsLogging) {
    return <StatusIndicator type="success">{texts.isLogging}</StatusIndicator>;
  }
  return (
    <SpaceBetween size="xs">
      <StatusIndicator type="error">{texts.isNotLogging}</StatusIndicator>
      <KeyValuePairs
        columns={2}
        items={[
          { label: texts.since, value: <Time at={status.StopLoggingTime} /> },
          { label: texts.error, value: visible(status.LatestDeliveryError ?? '') || auditTexts.record.absent },
        ]}
      />
    </SpaceBetween>
  );
}

function Keys() {
  const keys = useResource((signal) => all(cloudtrail.ListPublicKeys, {}, (page) => page.PublicKeyList, signal), []);
  return (
    <Listing
      title={texts.keys}
      description={texts.keysDescription}
      things={texts.things}
      variant="container"
      resource={keys}
      keyOf={({ Fingerprint = '' }) => Fingerprint}
      textOf={({ Fingerprint = '' }) => Fingerprint}
      columns={[
        {
          id: 'fingerprint',
          header: texts.fingerprint,
          isRowHeader: true,
          cell: ({ Fingerprint = '' }) => <CopyText text={Fingerprint} />,
        },
        { id: 'from', header: texts.from, cell: ({ ValidityStartTime }) => <Time at={ValidityStartTime} /> },
        { id: 'until', header: texts.until, cell: ({ ValidityEndTime }) => <Time at={ValidityEndTime} /> },
      ]}
      empty={{ title: texts.noKeys, body: '' }}
    />
  );
}

function Verify({ trailArn }: { readonly trailArn: string }) {
  const { publicUrl } = useSignIn();
  const [since] = useState(aWeekAgo);
  const online = [
    `aws cloudtrail validate-logs --verbose --start-time ${since} \\`,
    `    --endpoint-url ${publicUrl} \\`,
    `    --trail-arn ${trailArn}`,
  ].join('\n');
  const offline = 'postern verify /var/lib/postern/audit --public-key trail.pem \\\n    --recordings /var/lib/postern/recordings';
  return (
    <Container header={<Header variant="h2">{texts.verify}</Header>}>
      <SpaceBetween size="l">
        <Way title={texts.online} body={texts.onlineBody} command={online} />
        <Way title={texts.offline} body={texts.offlineBody} command={offline} />
      </SpaceBetween>
    </Container>
  );
}

/** As the CLI takes it. */
function aWeekAgo(): string {
  return `${new Date(Date.now() - 7 * 24 * 3_600_000).toISOString().slice(0, 10)}T00:00:00Z`;
}

interface WayProps {
  readonly title: string;
  readonly body: string;
  readonly command: string;
}

function Way({ title, body, command }: WayProps) {
  return (
    <div>
      <Box variant="h3">{title}</Box>
      <Box variant="p">{body}</Box>
      <CopyBlock text={command} label={title} />
    </div>
  );
}
