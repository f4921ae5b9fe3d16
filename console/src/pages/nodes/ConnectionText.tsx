/** How a node is connected, as a sentence or, in a list, a part of one. */

import { nodesTexts } from '../../texts/nodes.ts';
import { Lasting, Time } from '../../ui/Time.tsx';
import { closeReason, expectation, type Connection } from './connections.ts';

const texts = nodesTexts.connection;

interface Props {
  readonly connection: Connection;
}

/** `away for 3 minutes: the node did not answer any more`. */
export function ConnectionNote({ connection }: Props) {
  const { Status, Since } = connection;
  if (Status === 'NeverConnected') {
    return texts.never;
  }
  const reason = Status === 'Away' ? closeReason(connection) : undefined;
  return (
    <>
      {Status === 'Online' ? texts.onlineFor : texts.awayFor} <Lasting since={Since} />
      {reason !== undefined && `: ${reason}`}
    </>
  );
}

/** All that is known, in sentences. */
export function ConnectionText({ connection }: Props) {
  const { Status, Since, LastClose } = connection;
  const reason = closeReason(connection);
  const retries = expectation(connection);
  switch (Status) {
    case 'Online':
      return (
        <>
          {texts.connectedFor} <Lasting since={Since} />.
          {reason !== undefined && (
            <>
              {' '}
              {texts.before} <Time at={LastClose?.At} form="relative" />: {reason}.
            </>
          )}
        </>
      );
    case 'Away':
      return (
        <>
          {texts.isAwayFor} <Lasting since={Since} />
          {reason !== undefined && `: ${reason}`}. {retries}
        </>
      );
    default:
      return (
        <>
          {texts.neverConnected} {reason !== undefined && `${texts.lastTry(reason)} `}
          {retries}
        </>
      );
  }
}
