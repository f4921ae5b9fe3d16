/** What is being moved, and what was. */

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import LiveRegion from '@cloudscape-design/components/live-region';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';

import { filesTexts as texts } from '../texts/files.ts';
import { visibleLine } from '../ui/visible.ts';
import { baseOf } from './paths.ts';
import { isUnfinished, type Transfer, type Transfers, type TransferState } from './transfer/transfers.ts';
import { wordsOf } from './words.ts';

/** Nobody reads more; what is going on comes first. */
const SHOWN_MAX = 50;

export function TransferList({ transfers }: { readonly transfers: Transfers }) {
  const { all } = transfers;
  if (all.length === 0) {
    return null;
  }
  const unfinished = all.filter(({ state }) => isUnfinished(state)).length;
  const counted = (kind: TransferState['kind']) => all.filter(({ state }) => state.kind === kind).length;
  const shown = [...all].sort((a, b) => urgency(a) - urgency(b) || b.id - a.id).slice(0, SHOWN_MAX);
  return (
    <section className="files-transfers" aria-label={texts.transfers}>
      <Header
        variant="h3"
        counter={texts.transfersOf(unfinished, all.length)}
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            {unfinished > 1 && <Button onClick={() => transfers.cancelAll()}>{texts.cancelAll}</Button>}
            {unfinished < all.length && <Button onClick={() => transfers.clear()}>{texts.clear}</Button>}
          </SpaceBetween>
        }
      >
        {texts.transfers}
      </Header>
      <LiveRegion hidden>{texts.summary(unfinished, counted('done'), counted('failed'))}</LiveRegion>
      <ul>
        {shown.map((transfer) => (
          <li key={transfer.id}>
            <TransferRow transfer={transfer} transfers={transfers} />
          </li>
        ))}
      </ul>
      {all.length > shown.length && <Box color="text-body-secondary">{texts.notShown(all.length - shown.length)}</Box>}
    </section>
  );
}

function TransferRow({ transfer, transfers }: { readonly transfer: Transfer; readonly transfers: Transfers }) {
  const { id, path, direction, state, leftOut } = transfer;
  const name = visibleLine(baseOf(path));
  return (
    <div className="files-transfer">
      <div className="files-transfer-what">
        <Box>
          <span title={visibleLine(path)}>
            <span aria-hidden="true">{direction === 'up' ? '↑ ' : '↓ '}</span>
            <span className="files-hidden">{direction === 'up' ? texts.upload : texts.download} </span>
            {name}
          </span>
        </Box>
        {state.kind === 'moving' ? (
          <Progress transfer={transfer} name={name} />
        ) : (
          <StatusIndicator type={INDICATORS[state.kind]}>{stateText(state)} {leftOut > 0 && texts.leftOut(leftOut)}</StatusIndicator>
        )}
      </div>
      {isUnfinished(state) && <Button variant="icon" iconName="close" ariaLabel={texts.cancelOf(name)} onClick={() => transfers.cancel(id)} />}
      {state.kind === 'failed' && <Button variant="icon" iconName="refresh" ariaLabel={texts.retryOf(name)} onClick={() => transfers.retry(id)} />}
    </div>
  );
}

function Progress({ transfer: { bytes, size, rate }, name }: { readonly transfer: Transfer; readonly name: string }) {
  const shownRate = rate === null ? null : texts.bytes(Math.round(rate));
  return (
    <ProgressBar
      ariaLabel={name}
      value={size === 0 ? 0 : Math.min(100, (100 * bytes) / size)}
      additionalInfo={texts.progress(texts.bytes(bytes), texts.bytes(size), shownRate)}
    />
  );
}

const INDICATORS: Readonly<Record<TransferState['kind'], StatusIndicatorProps.Type>> = {
  waiting: 'pending',
  asking: 'warning',
  looking: 'loading',
  moving: 'in-progress',
  checking: 'loading',
  done: 'success',
  skipped: 'stopped',
  cancelled: 'stopped',
  failed: 'error',
};

function stateText(state: TransferState): string {
  switch (state.kind) {
    case 'done':
      return texts.states[state.check];
    case 'failed':
      return `${texts.states.failed}. ${wordsOf(state.error)}`;
    case 'waiting':
    case 'asking':
    case 'looking':
    case 'moving':
    case 'checking':
    case 'skipped':
    case 'cancelled':
      return texts.states[state.kind];
  }
}

/** What moves comes first, then what wants something of the user, then what waits. */
function urgency({ state }: Transfer): number {
  return state.kind === 'moving' || state.kind === 'checking' || state.kind === 'looking' ? 0 : state.kind === 'asking' || state.kind === 'failed' ? 1 : state.kind === 'waiting' ? 2 : 3;
}
