/** The form in which a session document is written and saved. */

import { useState, type ReactNode } from 'react';

import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { ApiError } from '../../api/errors.ts';
import { documentsTexts } from '../../texts/documents.ts';
import { partTexts } from '../../texts/parts.ts';
import { Failure } from '../../ui/denial/Failure.tsx';
import { FormPage } from '../../ui/forms/FormPage.tsx';
import { useAction } from '../../ui/forms/useAction.ts';
import type { Format } from './content.ts';
import { DocumentEditor } from './DocumentEditor.tsx';

const ABOUT_CONTENT = new Set(['InvalidDocumentContent', 'InvalidDocumentSchemaVersion', 'MaxDocumentSizeExceeded']);
const FORMATS: readonly Format[] = ['JSON', 'YAML'];

interface Props {
  readonly title: string;
  readonly description: string;
  readonly submitText: string;
  readonly cancelPath: string;
  readonly content: string;
  readonly format: Format;
  readonly onContent: (content: string) => void;
  readonly onFormat: (format: Format) => void;
  readonly isReady?: boolean;
  /** Fields before the document. */
  readonly fields?: ReactNode;
  /** Saves the document and leaves the page. */
  readonly onSave: () => Promise<void>;
}

export function DocumentForm(props: Props) {
  const { title, description, submitText, cancelPath, content, format, onContent, onFormat, isReady = true, fields, onSave } = props;
  const [refusal, setRefusal] = useState<{ readonly content: string; readonly message: string }>();
  const action = useAction();
  const isAboutContent = action.error instanceof ApiError && ABOUT_CONTENT.has(action.error.code);
  const save = () =>
    action.run(async () => {
      try {
        await onSave();
      } catch (error) {
        if (error instanceof ApiError && ABOUT_CONTENT.has(error.code)) {
          setRefusal({ content, message: error.message });
        }
        throw error;
      }
    });
  return (
    <FormPage
      texts={{ title, description, submit: submitText, cancel: partTexts.forms.cancel }}
      cancelPath={cancelPath}
      isBusy={action.isBusy}
      isDisabled={!isReady || content.trim() === ''}
      problem={action.error !== undefined && !isAboutContent && <Failure error={action.error} />}
      onSubmit={() => void save()}
    >
      {fields && <Container>{fields}</Container>}
      <Container
        header={
          <Header
            variant="h2"
            actions={
              <SegmentedControl
                label={documentsTexts.format}
                selectedId={format}
                options={FORMATS.map((id) => ({ id, text: id }))}
                onChange={({ detail }) => onFormat(detail.selectedId === 'YAML' ? 'YAML' : 'JSON')}
              />
            }
          >
            {documentsTexts.content}
          </Header>
        }
      >
        <SpaceBetween size="s">
          <DocumentEditor
            value={content}
            format={format}
            onChange={onContent}
            refusal={refusal?.content === content ? refusal.message : undefined}
          />
          {isAboutContent && refusal?.content === content && <Failure error={action.error} />}
        </SpaceBetween>
      </Container>
    </FormPage>
  );
}

