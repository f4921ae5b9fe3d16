/** One record: its fields, what it is about, and the record as it was written. */

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import Container from '@cloudscape-design/components/container';
import ContentLayout from '@cloudscape-design/components/content-layout';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs, { type KeyValuePairsProps } from '@cloudscape-design/components/key-value-pairs';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { call } from '../../api/call.ts';
import * as cloudtrail from '../../api/generated/cloudtrail.ts';
import { Loading } from '../../app/Loading.tsx';
import { href } from '../../router/location.ts';
import type { PageProps } from '../../router/route.ts';
import { auditTexts } from '../../texts/audit.ts';
import { CodeView } from '../../ui/code/CodeView.tsx';
import { CopyBlock } from '../../ui/code/CopyBlock.tsx';
import { CopyText } from '../../ui/code/CopyText.tsx';
import { parseDenial, policySourceOf } from '../../ui/denial/denial.ts';
import { Failure } from '../../ui/denial/Failure.tsx';
import { simulatorPath } from '../../ui/denial/simulatorPath.ts';
import { download } from '../../ui/download.ts';
import { useResource } from '../../ui/resource.ts';
import { EmptyState } from '../../ui/table/Listing.tsx';
import { Time } from '../../ui/Time.tsx';
import { visible, visibleLine } from '../../ui/visible.ts';
import { recordsAsJson } from './export.ts';
import { queryOf, type Attribute } from './filters.ts';
import { Outcome } from './Outcome.tsx';
import { parseRecord, type AuditRecord, type RecordedDecision } from './record.ts';
import { subjectPath } from './subjects.ts';

const texts = auditTexts.record;

export default function EventPage({ parameters }: PageProps) {
  const eventId = parameters['eventId'] ?? '';
  const found = useResource(async (signal) => (await lookUp(eventId, signal)) ?? null, [eventId]);
  const { value } = found;
  return (
    <ContentLayout header={<Header variant="h1">{value ? visibleLine(value.eventName) : visibleLine(eventId)}</Header>}>
      <SpaceBetween size="l">
        {found.error !== undefined && <Failure error={found.error} retry={found.reload} />}
        {value === undefined && found.error === undefined && <Loading />}
        {value === null && (
          <Container>
            <EmptyState title={texts.notFound} body={texts.notFoundBody} />
          </Container>
        )}
        {value && <Record record={value} />}
      </SpaceBetween>
    </ContentLayout>
  );
}

async function lookUp(eventId: string, signal: AbortSignal): Promise<AuditRecord | undefined> {
  const input = { LookupAttributes: [{ AttributeKey: 'EventId', AttributeValue: eventId }] } as const;
  const { Events = [] } = await call(cloudtrail.LookupEvents, input, signal);
  const text = Events[0]?.CloudTrailEvent;
  return text === undefined ? undefined : parseRecord(text);
}

function Record({ record }: { readonly record: AuditRecord }) {
  const json = JSON.stringify(record.raw, null, 2);
  return (
    <>
      <Container header={<Header variant="h2">{texts.overview}</Header>}>
        <SpaceBetween size="l">
          <KeyValuePairs columns={3} items={factsOf(record)} />
          {record.errorMessage !== undefined && <Denied record={record} message={record.errorMessage} />}
        </SpaceBetween>
      </Container>
      <ColumnLayout columns={2}>
        <About record={record} />
        {record.decision && <Decision decision={record.decision} />}
      </ColumnLayout>
      <Parts record={record} />
      <Container
        header={
          <Header
            variant="h2"
            description={texts.rawDescription}
            actions={
              <Button onClick={() => download(recordsAsJson([record]), 'application/json', `${record.eventId}.json`)}>
                {texts.download}
              </Button>
            }
          >
            {texts.raw}
          </Header>
        }
      >
        <CopyBlock text={json} label={texts.raw} />
      </Container>
    </>
  );
}

function factsOf(record: AuditRecord): KeyValuePairsProps.Item[] {
  const { who } = record;
  return [
    { label: texts.time, value: <Time at={record.eventTime} /> },
    { label: texts.outcome, value: <Outcome errorCode={record.errorCode} /> },
    { label: texts.source, value: visibleLine(record.eventSource) },
    { label: texts.who, value: `${visibleLine(who.name)} (${visibleLine(who.type)})` },
    { label: texts.arn, value: who.arn === undefined ? texts.absent : <CopyText text={who.arn} /> },
    { label: texts.key, value: who.accessKeyId === undefined ? texts.absent : <CopyText text={who.accessKeyId} /> },
    { label: texts.address, value: visibleLine(record.sourceAddress) || texts.absent },
    { label: texts.agent, value: visibleLine(record.userAgent ?? '') || texts.absent },
    { label: texts.mfa, value: yesOrNo(who.mfa) },
    { label: texts.type, value: visibleLine(record.eventType) },
    { label: texts.readOnly, value: yesOrNo(record.readOnly) },
    { label: texts.region, value: visibleLine(record.awsRegion) },
    { label: texts.id, value: <CopyText text={record.eventId} /> },
  ];
}

function yesOrNo(value: boolean | undefined): string {
  if (value === undefined) {
    return texts.absent;
  }
  return value ? texts.yes : texts.no;
}

function Denied({ record, message }: { readonly record: AuditRecord; readonly message: string }) {
  const denial = record.errorCode?.startsWith('AccessDenied') ? parseDenial(message) : undefined;
  return (
    <Box>
      {visible(message)}{' '}
      {denial && (
        <Link
          href={href(
            simulatorPath({ principal: policySourceOf(denial.principal), action: denial.action, resource: denial.resource }),
          )}
        >
          {texts.explain}
        </Link>
      )}
    </Box>
  );
}

function About({ record }: { readonly record: AuditRecord }) {
  const { who, eventName } = record;
  return (
    <Container header={<Header variant="h2">{texts.about}</Header>} fitHeight>
      <SpaceBetween size="m">
        {record.subjects.length > 0 && (
          <KeyValuePairs
            items={record.subjects.map((subject) => ({
              label: texts.kinds[subject.kind],
              value: <Link href={href(subjectPath(subject))}>{visibleLine(subject.id)}</Link>,
            }))}
          />
        )}
        <div>
          <Box variant="awsui-key-label">{texts.similar}</Box>
          <SpaceBetween direction="horizontal" size="m">
            <Similar attribute="EventName" value={eventName} text={texts.sameName} />
            <Similar attribute="Username" value={usernameOf(record)} text={texts.sameUser} />
            <Similar attribute="AccessKeyId" value={who.accessKeyId} text={texts.sameKey} />
          </SpaceBetween>
        </div>
      </SpaceBetween>
    </Container>
  );
}

/** What `LookupEvents` knows the caller by: of a role's session the session's name. */
function usernameOf({ who }: AuditRecord): string | undefined {
  return who.type === 'Unknown' ? undefined : who.name.split('/').at(-1);
}

interface SimilarProps {
  readonly attribute: Attribute;
  readonly value: string | undefined;
  readonly text: string;
}

function Similar({ attribute, value, text }: SimilarProps) {
  if (value === undefined || value === '') {
    return null;
  }
  return <Link href={href(`/audit?${queryOf({ attribute: { key: attribute, value } })}`)}>{text}</Link>;
}

function Decision({ decision: { result, layer, policy, statement } }: { readonly decision: RecordedDecision }) {
  const isKnown = (name: string | undefined, of: object): name is string => name !== undefined && Object.hasOwn(of, name);
  return (
    <Container header={<Header variant="h2">{texts.decision}</Header>} fitHeight>
      <KeyValuePairs
        items={[
          {
            label: texts.decision,
            value: isKnown(result, texts.result) ? texts.result[result as keyof typeof texts.result] : visibleLine(result ?? texts.absent),
          },
          {
            label: texts.layer,
            value: isKnown(layer, texts.layers) ? texts.layers[layer as keyof typeof texts.layers] : visibleLine(layer ?? texts.absent),
          },
          {
            label: texts.statement,
            value: policy === undefined || statement === undefined ? texts.absent : texts.statementOf(statement + 1, visibleLine(policy)),
          },
        ]}
      />
    </Container>
  );
}

const PARTS = ['requestParameters', 'responseElements', 'serviceEventDetails', 'additionalEventData'] as const;

/** The members that are different for each event. */
function Parts({ record }: { readonly record: AuditRecord }) {
  return PARTS.filter((part) => record.raw[part] !== undefined && record.raw[part] !== null).map((part) => (
    <Container key={part} header={<Header variant="h2">{texts.parts[part]}</Header>}>
      <CodeView text={JSON.stringify(record.raw[part], null, 2)} label={texts.parts[part]} />
    </Container>
  ));
}
