/** Makes a session document. */

import { useState } from 'react';

import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { notify } from '../../app/notifications.ts';
import { navigate } from '../../router/location.ts';
import { documentsTexts } from '../../texts/documents.ts';
import { visibleLine } from '../../ui/visible.ts';
import { EXAMPLES, type Format } from './content.ts';
import { createDocument } from './document.ts';
import { DocumentForm } from './DocumentForm.tsx';
import { documentPath, documentsPaths } from './paths.ts';

const texts = documentsTexts.create;
const NAME = /^[a-zA-Z0-9_.-]{3,128}$/;
const RESERVED = /^(aws|amazon|amzn|postern-)/i;

export default function NewDocumentPage() {
  const [name, setName] = useState('');
  const [example, setExample] = useState(EXAMPLES[0]);
  const [content, setContent] = useState(EXAMPLES[0]?.content ?? '');
  const [format, setFormat] = useState<Format>('JSON');
  const wrong = nameProblem(name);
  const options = EXAMPLES.map(({ id }) => ({ value: id, label: exampleText(id) }));
  return (
    <DocumentForm
      title={texts.title}
      description={texts.description}
      submitText={texts.submit}
      cancelPath={documentsPaths.all}
      content={content}
      format={format}
      onContent={setContent}
      onFormat={setFormat}
      isReady={name !== '' && wrong === undefined}
      fields={
        <SpaceBetween size="m">
          <FormField label={documentsTexts.name} constraintText={texts.nameHint} errorText={wrong}>
            <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus autoComplete={false} spellcheck={false} />
          </FormField>
          <FormField label={texts.example} description={texts.exampleHint}>
            <Select
              selectedOption={options.find(({ value }) => value === example?.id) ?? null}
              options={options}
              onChange={({ detail }) => {
                const chosen = EXAMPLES.find(({ id }) => id === detail.selectedOption.value);
                setExample(chosen);
                setContent(chosen?.content ?? content);
                setFormat('JSON');
              }}
            />
          </FormField>
        </SpaceBetween>
      }
      onSave={async () => {
        await createDocument(name, content, format);
        notify({ type: 'success', header: texts.done(visibleLine(name)) });
        navigate(documentPath(name));
      }}
    />
  );
}

function nameProblem(name: string): string | undefined {
  if (name === '') {
    return undefined;
  }
  if (!NAME.test(name)) {
    return texts.nameForm;
  }
  return RESERVED.test(name) ? texts.nameReserved : undefined;
}

function exampleText(id: string): string {
  return Object.hasOwn(texts.examples, id) ? texts.examples[id as keyof typeof texts.examples] : id;
}
