/** A page on which a policy is written and saved. */

import { useState, type ReactNode } from 'react';

import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import ContentLayout from '@cloudscape-design/components/content-layout';
import Form from '@cloudscape-design/components/form';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { ApiError } from '../../../api/errors.ts';
import { href } from '../../../router/location.ts';
import { accessTexts } from '../../../texts/access.ts';
import { partTexts } from '../../../texts/parts.ts';
import { Failure } from '../../../ui/denial/Failure.tsx';
import { useAction } from '../../../ui/forms/useAction.ts';
import { serverDiagnostic } from './diagnostics.ts';
import type { Diagnostic } from '../../../ui/code/diagnostic.ts';
import type { Example } from './examples.ts';
import { PolicyEditor } from './PolicyEditor.tsx';

interface Props {
  readonly title: string;
  readonly description?: string;
  readonly kind: 'identity' | 'trust';
  readonly examples: readonly Example[];
  readonly charactersMax: number;
  readonly initial: string;
  /** Fields before the document. */
  readonly fields?: ReactNode;
  /** Whether the fields can be sent. */
  readonly isReady?: boolean;
  readonly submitText: string;
  /** Where *Cancel* leads. */
  readonly cancelPath: string;
  /** Saves the document and leaves the page. */
  readonly onSave: (document: string) => Promise<void>;
}

export function PolicyForm(props: Props) {
  const { title, description, kind, examples, charactersMax, initial, fields, isReady = true, submitText, cancelPath, onSave } = props;
  const [document, setDocument] = useState(initial);
  const [refusal, setRefusal] = useState<{ document: string; diagnostic: Diagnostic }>();
  const action = useAction();
  const save = () =>
    action.run(async () => {
      try {
        await onSave(document);
      } catch (error) {
        if (isAboutDocument(error)) {
          setRefusal({ document, diagnostic: serverDiagnostic(document, error.message) });
        }
        throw error;
      }
    });
  const canSave = isReady && document.trim() !== '';
  return (
    <ContentLayout header={<Header variant="h1" description={description}>{title}</Header>}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (canSave && !action.isBusy) {
            void save();
          }
        }}
      >
        <Form
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button formAction="none" variant="link" href={href(cancelPath)}>
                {partTexts.forms.cancel}
              </Button>
              <Button variant="primary" loading={action.isBusy} disabled={!canSave}>
                {submitText}
              </Button>
            </SpaceBetween>
          }
        >
          <SpaceBetween size="l">
            {fields && <Container>{fields}</Container>}
            <Container header={<Header variant="h2">{accessTexts.policies.document}</Header>}>
              <PolicyEditor
                value={document}
                onChange={setDocument}
                kind={kind}
                examples={examples}
                charactersMax={charactersMax}
                refusal={refusal?.document === document ? refusal.diagnostic : undefined}
              />
            </Container>
            {action.error !== undefined && <Failure error={action.error} />}
          </SpaceBetween>
        </Form>
      </form>
    </ContentLayout>
  );
}

function isAboutDocument(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code === 'MalformedPolicyDocument';
}
