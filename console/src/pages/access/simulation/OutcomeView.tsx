/** One decision: what, by which layer and statement, and what would have changed it. */

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';

import { accessTexts } from '../../../texts/access.ts';
import { visible, visibleLine } from '../../../ui/visible.ts';
import type { CloseStatement, StatementName } from './explanation.ts';
import type { Outcome } from './simulate.ts';
import { StatementInPolicy, type Source } from './StatementInPolicy.tsx';

const texts = accessTexts.simulator;

interface Props {
  readonly outcome: Outcome;
  readonly source: Source;
  readonly onAddKey: (key: string) => void;
}

export function OutcomeView({ outcome, source, onAddKey }: Props) {
  const { action, resource, explanation, missing } = outcome;
  return (
    <Container
      header={
        <Header variant="h3" description={resource === '*' ? undefined : visibleLine(resource)}>
          {visibleLine(action)}
        </Header>
      }
    >
      <SpaceBetween size="m">
        <Verdict outcome={outcome} />
        {explanation && <Box>{visible(explanation.headline)}</Box>}
        <Limits outcome={outcome} />
        {explanation && explanation.notes.length > 0 && <Lines lines={explanation.notes} />}
        {explanation && explanation.conditions.length > 0 && (
          <Labelled label={texts.conditions}>
            <Lines lines={explanation.conditions} />
          </Labelled>
        )}
        {explanation?.decidedBy && <StatementInPolicy statement={explanation.decidedBy} source={source} />}
        {missing.length > 0 && (
          <Labelled label={texts.missing}>
            <SpaceBetween direction="horizontal" size="xs">
              {missing.map((key) => (
                <Button key={key} iconName="add-plus" ariaLabel={texts.addMissing(visibleLine(key))} onClick={() => onAddKey(key)}>
                  {visibleLine(key)}
                </Button>
              ))}
            </SpaceBetween>
          </Labelled>
        )}
        {explanation && explanation.close.length > 0 && (
          <Labelled label={outcome.decision === 'allowed' ? texts.wouldDeny : texts.wouldAllow}>
            <SpaceBetween size="s">
              {explanation.close.map((close) => (
                <Close key={`${close.statement.policy} ${close.statement.number}`} close={close} source={source} />
              ))}
              {explanation.closeMore > 0 && <Box>{texts.more(explanation.closeMore)}</Box>}
            </SpaceBetween>
          </Labelled>
        )}
      </SpaceBetween>
    </Container>
  );
}

function Verdict({ outcome: { decision, explanation } }: { readonly outcome: Outcome }) {
  const layer = explanation?.layer;
  const by = explanation?.decidedBy;
  return (
    <KeyValuePairs
      columns={3}
      items={[
        { label: texts.decision, value: <Decision decision={decision} /> },
        { label: texts.layer, value: layer === undefined ? accessTexts.unknown : visibleLine(layer) },
        { label: texts.decidingStatement, value: by ? nameOf(by) : accessTexts.none },
      ]}
    />
  );
}

function Decision({ decision }: { readonly decision: Outcome['decision'] }) {
  switch (decision) {
    case 'allowed':
      return <StatusIndicator type="success">{texts.allowed}</StatusIndicator>;
    case 'explicitDeny':
      return <StatusIndicator type="error">{texts.explicitDeny}</StatusIndicator>;
    default:
      return <StatusIndicator type="stopped">{texts.implicitDeny}</StatusIndicator>;
  }
}

function Limits({ outcome: { isWithinBoundary, isWithinGuardrails } }: { readonly outcome: Outcome }) {
  return (
    <>
      {isWithinBoundary === false && <StatusIndicator type="warning">{texts.boundarySilent}</StatusIndicator>}
      {isWithinGuardrails === false && <StatusIndicator type="warning">{texts.guardrailSilent}</StatusIndicator>}
    </>
  );
}

function Close({ close: { statement, reasons }, source }: { readonly close: CloseStatement; readonly source: Source }) {
  return (
    <div>
      <Box fontWeight="bold">{nameOf(statement)}</Box>
      <Lines lines={reasons} />
      <ExpandableSection headerText={texts.inPolicy} headerAriaLabel={texts.policyShown(visibleLine(statement.policy))}>
        <StatementInPolicy statement={statement} source={source} />
      </ExpandableSection>
    </div>
  );
}

function Labelled({ label, children }: { readonly label: string; readonly children: React.ReactNode }) {
  return (
    <div>
      <Box variant="awsui-key-label">{label}</Box>
      {children}
    </div>
  );
}

function Lines({ lines }: { readonly lines: readonly string[] }) {
  return (
    <ul className="plain-lines">
      {lines.map((line) => (
        <li key={line}>{visible(line)}</li>
      ))}
    </ul>
  );
}

export function nameOf({ number, sid, policy }: StatementName): string {
  return texts.statement(number, sid === undefined ? undefined : visibleLine(sid), visibleLine(policy));
}
