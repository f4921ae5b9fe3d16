/** How to use the AWS CLI with this server. */

import type { ReactNode } from 'react';

import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { href } from '../../router/location.ts';
import { useSignIn } from '../../sign-in/state.ts';
import { settingsTexts } from '../../texts/settings.ts';
import { CopyBlock } from '../../ui/code/CopyBlock.tsx';
import { CopyText } from '../../ui/code/CopyText.tsx';
import { holderPath } from '../access/paths.ts';

const texts = settingsTexts.cli;
const CA_FILE = '~/.aws/postern-ca.pem';

export function CliSetup() {
  const { publicUrl, region, userName, caFingerprintSha256: fingerprint } = useSignIn();
  const hasOwnCa = fingerprint !== '';
  const profile = [
    '[profile postern]',
    `region = ${region}`,
    `endpoint_url = ${publicUrl}`,
    ...(hasOwnCa ? [`ca_bundle = ${CA_FILE}`] : []),
  ].join('\n');
  const environment = [
    `export AWS_ENDPOINT_URL=${publicUrl}`,
    `export AWS_REGION=${region}`,
    ...(hasOwnCa ? [`export AWS_CA_BUNDLE=${CA_FILE}`] : []),
  ].join('\n');
  const trial = [
    'aws --profile postern sts get-caller-identity',
    'aws --profile postern ssm start-session --target mi-0123456789abcdef0',
  ].join('\n');
  return (
    <Container header={<Header variant="h2">{texts.title}</Header>}>
      <SpaceBetween size="l">
        <Box variant="p">{texts.intro}</Box>
        <Step title={texts.key} body={texts.keyBody}>
          {userName !== null && (
            <Link href={href(`${holderPath({ kind: 'user', name: userName })}?tab=credentials`)}>{texts.keyLink}</Link>
          )}
        </Step>
        {hasOwnCa && (
          <Step title={texts.ca} body={texts.caBody}>
            <CopyText text={fingerprint} />
            <CopyBlock text={`openssl x509 -in ${CA_FILE} -noout -fingerprint -sha256`} label={texts.ca} />
          </Step>
        )}
        <Step title={texts.profile} body={texts.profileBody}>
          <CopyBlock text={profile} label={texts.profile} />
        </Step>
        <Step title={texts.environment} body="">
          <CopyBlock text={environment} label={texts.environment} />
        </Step>
        <Step title={texts.plugin} body={texts.pluginBody}>
          <CopyBlock text={'ln -s "$(command -v postern)" ~/.local/bin/session-manager-plugin'} label={texts.plugin} />
        </Step>
        <Step title={texts.try} body={texts.tryBody}>
          <CopyBlock text={trial} label={texts.try} />
        </Step>
      </SpaceBetween>
    </Container>
  );
}

interface StepProps {
  readonly title: string;
  readonly body: string;
  readonly children: ReactNode;
}

function Step({ title, body, children }: StepProps) {
  return (
    <SpaceBetween size="xs">
      <Box variant="h3">{title}</Box>
      {body !== '' && <Box variant="p">{body}</Box>}
      {children}
    </SpaceBetween>
  );
}
