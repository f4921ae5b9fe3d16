/** What the server says about a recording, and what this page has checked of it. */

import Box from '@cloudscape-design/components/box';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Popover from '@cloudscape-design/components/popover';
import StatusIndicator from '@cloudscape-design/components/status-indicator';

import { replayTexts } from '../texts/replay.ts';
import { Time } from '../ui/Time.tsx';
import { visible, visibleLine } from '../ui/visible.ts';
import type { Recording, Verification } from './recording.ts';

const texts = replayTexts;

export function Facts({ recording }: { readonly recording: Recording }) {
  const { about, bytes, verification } = recording;
  const shown = (text: string | undefined) => (text ? visibleLine(text) : texts.none);
  return (
    <KeyValuePairs
      columns={4}
      items={[
        { label: texts.node, value: about.NodeName ? `${visibleLine(about.NodeName)} (${shown(about.Node)})` : shown(about.Node) },
        { label: texts.owner, value: shown(about.Owner) },
        { label: texts.document, value: shown(about.DocumentName) },
        { label: texts.reason, value: shown(about.Reason) },
        { label: texts.started, value: <Time at={about.StartedAt} /> },
        { label: texts.ended, value: <Time at={about.EndedAt} /> },
        { label: texts.status, value: about.Status ? texts.statuses[about.Status] : texts.none },
        { label: texts.endReason, value: about.EndReason ? visible(about.EndReason) : texts.none },
        { label: texts.exitCode, value: about.ExitCode ?? texts.none },
        { label: texts.size, value: texts.sizeValue(bytes.length) },
        { label: texts.verification.label, value: <Badge verification={verification} sha256={about.Sha256} /> },
      ]}
    />
  );
}

const TYPES = { matches: 'success', differs: 'error', unknown: 'info' } as const;

function Badge({ verification, sha256 }: { readonly verification: Verification; readonly sha256: string | undefined }) {
  const content = (
    <>
      <Box variant="p">{texts.verification.what}</Box>
      {sha256 && (
        <Box variant="small">
          {texts.verification.sha256} <code style={{ overflowWrap: 'anywhere' }}>{visibleLine(sha256)}</code>
        </Box>
      )}
    </>
  );
  return (
    <Popover size="large" content={content} triggerType="text">
      <StatusIndicator type={TYPES[verification]}>{texts.verification[verification]}</StatusIndicator>
    </Popover>
  );
}
