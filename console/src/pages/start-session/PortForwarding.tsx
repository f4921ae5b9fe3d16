/** What a browser cannot do, as commands for where it can be done. */

import Alert from '@cloudscape-design/components/alert';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { startSessionTexts } from '../../texts/start-session.ts';
import { CommandBlock, shellQuoted } from '../../ui/CommandBlock.tsx';

const texts = startSessionTexts.portOnly;

interface Props {
  readonly target: string | undefined;
  readonly document: string;
  readonly parameters: Readonly<Record<string, readonly string[]>>;
}

export function PortForwarding({ target = 'mi-…', document, parameters }: Props) {
  const options = ['start-session', '--target', target, '--document-name', document];
  const given = Object.keys(parameters).length > 0 ? ['--parameters', JSON.stringify(parameters)] : [];
  const command = [...options, ...given].map(shellQuoted).join(' ');
  return (
    <Alert type="info" header={texts.header}>
      <SpaceBetween size="s">
        {texts.body}
        <CommandBlock label={startSessionTexts.command('postern')} command={`postern ${command}`} />
        <CommandBlock label={startSessionTexts.command('the AWS CLI')} command={`aws ssm ${command}`} />
      </SpaceBetween>
    </Alert>
  );
}
