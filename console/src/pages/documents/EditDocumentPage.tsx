/** Gives a document of the account another version. */

import { useState } from 'react';

import Checkbox from '@cloudscape-design/components/checkbox';

import { call } from '../../api/call.ts';
import * as ssm from '../../api/generated/ssm.ts';
import { Loading } from '../../app/Loading.tsx';
import { notify } from '../../app/notifications.ts';
import { navigate } from '../../router/location.ts';
import type { PageProps } from '../../router/route.ts';
import { documentsTexts } from '../../texts/documents.ts';
import { partTexts } from '../../texts/parts.ts';
import { Failure } from '../../ui/denial/Failure.tsx';
import { useResource } from '../../ui/resource.ts';
import { visibleLine } from '../../ui/visible.ts';
import type { Format } from './content.ts';
import { replaceDocument } from './document.ts';
import { DocumentForm } from './DocumentForm.tsx';
import { documentPath } from './paths.ts';

const texts = documentsTexts.edit;

export default function EditDocumentPage({ parameters }: PageProps) {
  const name = parameters['name'] ?? '';
  const latest = useResource((signal) => call(ssm.GetDocument, { Name: name, DocumentVersion: '$LATEST' }, signal), [name]);
  if (latest.value === undefined) {
    return latest.error === undefined ? <Loading /> : <Failure error={latest.error} retry={latest.reload} />;
  }
  const { Content: content = '', DocumentFormat: format, DocumentVersion: version = '' } = latest.value;
  return <Edit name={name} version={version} initial={content} initialFormat={format === 'YAML' ? 'YAML' : 'JSON'} />;
}

interface EditProps {
  readonly name: string;
  readonly version: string;
  readonly initial: string;
  readonly initialFormat: Format;
}

function Edit({ name, version, initial, initialFormat }: EditProps) {
  const [content, setContent] = useState(initial);
  const [format, setFormat] = useState(initialFormat);
  const [isDefault, setIsDefault] = useState(true);
  return (
    <DocumentForm
      title={texts.title(visibleLine(name))}
      description={texts.description(visibleLine(version))}
      submitText={partTexts.forms.save}
      cancelPath={documentPath(name)}
      content={content}
      format={format}
      onContent={setContent}
      onFormat={setFormat}
      isReady={content !== initial || format !== initialFormat}
      fields={
        <Checkbox checked={isDefault} onChange={({ detail }) => setIsDefault(detail.checked)} description={texts.atOnceHint}>
          {texts.use}
        </Checkbox>
      }
      onSave={async () => {
        if (isDefault) {
          await replaceDocument(name, content, format);
        } else {
          await call(ssm.UpdateDocument, { Name: name, Content: content, DocumentVersion: '$LATEST', DocumentFormat: format });
        }
        notify({ type: 'success', header: texts.done(visibleLine(name)) });
        navigate(`${documentPath(name)}?tab=versions`);
      }}
    />
  );
}
