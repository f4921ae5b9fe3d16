/** What the server is, who one is, how the page looks. */

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import RadioGroup from '@cloudscape-design/components/radio-group';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { chooseTheme, useTheme, type Theme } from '../../app/theme.ts';
import { href } from '../../router/location.ts';
import { useSignIn } from '../../sign-in/state.ts';
import { settingsTexts } from '../../texts/settings.ts';
import { CopyText } from '../../ui/code/CopyText.tsx';
import { Time } from '../../ui/Time.tsx';
import { visibleLine } from '../../ui/visible.ts';

export function General() {
  return (
    <SpaceBetween size="l">
      <Server />
      <Certificate />
      <Sinks />
      <You />
      <Appearance />
    </SpaceBetween>
  );
}

function Server() {
  const texts = settingsTexts.server;
  const { version, accountId, region, publicUrl, caFingerprintSha256: fingerprint } = useSignIn();
  return (
    <Container header={<Header variant="h2">{texts.title}</Header>}>
      <KeyValuePairs
        columns={3}
        items={[
          { label: texts.version, value: visibleLine(version) },
          { label: texts.account, value: <CopyText text={accountId} /> },
          { label: texts.region, value: <CopyText text={region} /> },
          { label: texts.url, value: <CopyText text={publicUrl} /> },
          { label: texts.ca, value: fingerprint === '' ? texts.caPublic : <CopyText text={fingerprint} /> },
        ]}
      />
    </Container>
  );
}

function Certificate() {
  const texts = settingsTexts.certificate;
  const { names, issuer, notAfter, renewsItself } = useSignIn().certificate;
  return (
    <Container header={<Header variant="h2">{texts.title}</Header>}>
      {notAfter === null ? (
        <Box>{texts.unread}</Box>
      ) : (
        <KeyValuePairs
          columns={3}
          items={[
            { label: texts.names, value: names.map(visibleLine).join(', ') },
            { label: texts.issuer, value: visibleLine(issuer ?? settingsTexts.absent) },
            { label: texts.until, value: <Time at={notAfter} /> },
            { label: texts.renewal, value: renewsItself ? texts.renewsItself : texts.byOperator },
          ]}
        />
      )}
    </Container>
  );
}

function Sinks() {
  const texts = settingsTexts.sinks;
  const { trailBucket, trailKeptDays, recordingsKeptDays } = useSignIn().sinks;
  return (
    <Container header={<Header variant="h2">{texts.title}</Header>}>
      <KeyValuePairs
        columns={3}
        items={[
          { label: texts.trail, value: texts.trailValue(visibleLine(trailBucket)) },
          { label: texts.trailKept, value: texts.days(trailKeptDays) },
          { label: texts.recordings, value: texts.recordingsValue },
          { label: texts.recordingsKept, value: texts.days(recordingsKeptDays) },
          { label: texts.logs, value: <Link href={href('/preferences')}>{texts.logsValue}</Link> },
        ]}
      />
    </Container>
  );
}

function You() {
  const texts = settingsTexts.you;
  const { principalArn, role, signedInAt, expiresAt, mfa } = useSignIn();
  return (
    <Container
      header={
        <Header variant="h2" actions={<Button href={href('/sign-ins')}>{texts.signIns}</Button>}>
          {texts.title}
        </Header>
      }
    >
      <KeyValuePairs
        columns={3}
        items={[
          { label: texts.principal, value: <CopyText text={principalArn} /> },
          ...(role ? [{ label: texts.role, value: <CopyText text={role.arn} /> }] : []),
          { label: texts.mfa, value: mfa ? texts.yes : texts.no },
          { label: texts.since, value: <Time at={signedInAt} /> },
          { label: texts.until, value: <Time at={expiresAt} /> },
        ]}
      />
    </Container>
  );
}

const THEMES: readonly Theme[] = ['light', 'dark', 'system'];

function Appearance() {
  const texts = settingsTexts.appearance;
  const theme = useTheme();
  return (
    <Container header={<Header variant="h2" description={texts.description}>{texts.title}</Header>}>
      <SpaceBetween size="m">
        <FormField label={texts.label}>
          <RadioGroup
            ariaLabel={texts.label}
            value={theme}
            items={THEMES.map((value) => ({ value, label: texts[value] }))}
            onChange={({ detail }) => chooseTheme(THEMES.find((value) => value === detail.value) ?? 'system')}
          />
        </FormField>
        <Box variant="small">{texts.motion}</Box>
      </SpaceBetween>
    </Container>
  );
}
