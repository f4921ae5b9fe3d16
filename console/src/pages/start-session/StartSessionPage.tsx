/** Starting a session: where, what, why. The choice of node and document is in the address. */

import { useState } from 'react';

import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { call } from '../../api/call.ts';
import * as ssm from '../../api/generated/ssm.ts';
import { replaceQuery, useLocation } from '../../router/location.ts';
import { openTerminal } from '../../terminal/open.ts';
import { startSessionTexts as texts } from '../../texts/start-session.ts';
import { FormPage } from '../../ui/forms/FormPage.tsx';
import { ProblemAlert } from '../../ui/ProblemAlert.tsx';
import { useResource } from '../../ui/resource.ts';
import { visible } from '../../ui/visible.ts';
import { parametersOf, problemOfValue, readDocument, type SessionDocument } from './document.ts';
import { DocumentSelect } from './DocumentSelect.tsx';
import { NodeSelect } from './NodeSelect.tsx';
import { ParameterField } from './ParameterField.tsx';
import { PortForwarding } from './PortForwarding.tsx';
import { CallProblem } from './WhyDenied.tsx';

/** Source: the model of `SessionReason`. */
const REASON_MAX = 256;

export default function StartSessionPage() {
  const { query } = useLocation();
  const target = query.get('target') ?? undefined;
  const documentName = query.get('document') ?? undefined;
  const document = useResource(
    (signal) => (documentName === undefined ? Promise.resolve(undefined) : readDocument(documentName, signal)),
    [documentName],
  );
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({});
  const [reason, setReason] = useState('');
  const [isChecked, setIsChecked] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<unknown>();

  const isPort = document.value?.sessionType === 'Port';
  const isReady = target !== undefined && reason.length <= REASON_MAX && !document.isLoading && fits(document.value, typed);

  function choose(name: 'target' | 'document', value: string | undefined): void {
    const changed = new URLSearchParams(query);
    changed.delete(name);
    if (value !== undefined) {
      changed.set(name, value);
    }
    replaceQuery(changed);
    setError(undefined);
  }

  async function start(): Promise<void> {
    setIsChecked(true);
    if (!isReady) {
      return;
    }
    setIsBusy(true);
    setError(undefined);
    try {
      const started = await call(ssm.StartSession, {
        Target: target,
        DocumentName: documentName,
        Reason: reason === '' ? undefined : reason,
        Parameters: document.value && parametersOf(document.value, typed),
      });
      const { SessionId = '', StreamUrl = '', TokenValue = '' } = started;
      openTerminal({ SessionId, StreamUrl, TokenValue, target, documentName });
    } catch (thrown) {
      setError(thrown);
      setIsBusy(false);
    }
  }

  return (
    <FormPage
      texts={texts}
      cancelPath="/nodes"
      isBusy={isBusy}
      isDisabled={isPort}
      problem={error !== undefined && <CallProblem error={error} />}
      onSubmit={() => void start()}
    >
      <Container>
        <SpaceBetween size="l">
          <NodeSelect nodeId={target} onChange={(nodeId) => choose('target', nodeId)} isChecked={isChecked} />
          <DocumentSelect name={documentName} onChange={(name) => choose('document', name)} description={visible(document.value?.description ?? '')} />
          <FormField
            label={<>{texts.reason} – <i>{texts.optional}</i></>}
            description={texts.reasonHint}
            errorText={reason.length > REASON_MAX && texts.reasonLong}
          >
            <Input value={reason} onChange={({ detail }) => setReason(detail.value)} />
          </FormField>
        </SpaceBetween>
      </Container>
      {document.error !== undefined && <ProblemAlert error={document.error} retry={document.reload} />}
      {document.value && document.value.parameters.length > 0 && (
        <Container header={<Header variant="h2">{texts.parameters}</Header>}>
          <SpaceBetween size="l">
            {document.value.parameters.map((parameter) => (
              <ParameterField
                key={parameter.name}
                parameter={parameter}
                value={typed[parameter.name] ?? parameter.default ?? ''}
                onChange={(value) => setTyped({ ...typed, [parameter.name]: value })}
                isChecked={isChecked}
              />
            ))}
          </SpaceBetween>
        </Container>
      )}
      {document.value && isPort && (
        <PortForwarding target={target} document={document.value.name} parameters={parametersOf(document.value, typed)} />
      )}
    </FormPage>
  );
}

function fits(document: SessionDocument | undefined, typed: Readonly<Record<string, string>>): boolean {
  return (document?.parameters ?? []).every(
    (parameter) => problemOfValue(parameter, typed[parameter.name] ?? parameter.default ?? '') === undefined,
  );
}
