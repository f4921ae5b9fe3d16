/** The decisions of one simulation. */

import Alert from '@cloudscape-design/components/alert';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { Loading } from '../../../app/Loading.tsx';
import { accessTexts } from '../../../texts/access.ts';
import { useResource } from '../../../ui/resource.ts';
import { Failure } from '../../../ui/denial/Failure.tsx';
import { OutcomeView } from './OutcomeView.tsx';
import { queryOf, type Question } from './question.ts';
import { simulate } from './simulate.ts';

interface Props {
  readonly question: Question;
  /** The policy of one's own, if the question names nobody. */
  readonly document: string;
  /** Counts the times it was asked for: the same question can have another answer. */
  readonly count: number;
  readonly onAddKey: (key: string) => void;
}

export function Results({ question, document, count, onAddKey }: Props) {
  const asked = queryOf(question).toString();
  const simulated = useResource((signal) => simulate(question, document, signal), [asked, document, count]);
  const { value, error } = simulated;
  return (
    <section aria-label={accessTexts.simulator.results} aria-live="polite" aria-busy={simulated.isLoading}>
      <SpaceBetween size="m">
        <Header variant="h2">{accessTexts.simulator.results}</Header>
        {error !== undefined && <Failure error={error} retry={simulated.reload} />}
        {value === undefined && error === undefined && <Loading />}
        {value?.notes.map((note) => (
          <Alert key={note} type="info">
            {note}
          </Alert>
        ))}
        {value?.outcomes.map((outcome) => (
          <OutcomeView
            key={`${outcome.action} ${outcome.resource}`}
            outcome={outcome}
            source={{ principal: question.principal, document }}
            onAddKey={onAddKey}
          />
        ))}
      </SpaceBetween>
    </section>
  );
}
