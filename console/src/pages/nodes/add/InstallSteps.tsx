/** The line to paste on the machine, by platform. */

import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';

import { useSignIn } from '../../../sign-in/state.ts';
import { addNodeTexts } from '../../../texts/add-node.ts';
import { CommandBlock } from '../../../ui/CommandBlock.tsx';
import { amazonAgentLine, posternAgentLine, type Activation } from './activation.ts';

const texts = addNodeTexts.install;

export function InstallSteps({ activation }: { readonly activation: Activation }) {
  const server = useSignIn();
  return (
    <Container header={<Header variant="h1" description={texts.description(activation.limit)}>{texts.title}</Header>}>
      <SpaceBetween size="l">
        <Alert type="warning">{texts.once}</Alert>
        <Tabs
          ariaLabel={texts.platform}
          tabs={[
            {
              id: 'linux',
              label: texts.linux,
              content: <Paste platform={texts.linux} needs={texts.linuxNeeds} command={posternAgentLine(server, activation)} />,
            },
            {
              id: 'amazon',
              label: texts.amazon,
              content: <Paste platform={texts.amazon} needs={texts.amazonNeeds} command={amazonAgentLine(server, activation)} />,
            },
            { id: 'macos', label: texts.macos, content: <NotYet platform={texts.macos} activation={activation} /> },
            { id: 'windows', label: texts.windows, content: <NotYet platform={texts.windows} activation={activation} /> },
          ]}
        />
      </SpaceBetween>
    </Container>
  );
}

function Paste({ platform, needs, command }: { readonly platform: string; readonly needs: string; readonly command: string }) {
  return (
    <SpaceBetween size="s">
      <Box variant="p">{needs}</Box>
      <CommandBlock label={texts.commandOf(platform)} command={command} />
    </SpaceBetween>
  );
}

/** No agent of ours runs there: only what AWS's needs can be given. */
function NotYet({ platform, activation }: { readonly platform: string; readonly activation: Activation }) {
  const { publicUrl, region, caFingerprintSha256 } = useSignIn();
  return (
    <SpaceBetween size="s">
      <Alert type="info">{texts.notYet(platform)}</Alert>
      <KeyValuePairs
        columns={2}
        items={[
          { label: texts.activationId, value: activation.id },
          { label: texts.activationCode, value: activation.code },
          { label: texts.region, value: region },
          { label: texts.endpoint, value: publicUrl },
          { label: texts.fingerprint, value: <Box fontSize="body-s">{caFingerprintSha256 || '–'}</Box> },
        ]}
      />
    </SpaceBetween>
  );
}
