/** One OIDC provider. */

import { useState } from 'react';

import ButtonDropdown from '@cloudscape-design/components/button-dropdown';

import { call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { navigate } from '../../../router/location.ts';
import type { PageProps } from '../../../router/route.ts';
import { accessTexts } from '../../../texts/access.ts';
import { CopyText } from '../../../ui/code/CopyText.tsx';
import { Details } from '../../../ui/Details.tsx';
import { ConfirmDelete } from '../../../ui/forms/ConfirmDelete.tsx';
import { useResource } from '../../../ui/resource.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { Tags } from '../parts/Tags.tsx';
import { Time } from '../parts/Time.tsx';
import { accessPaths, issuerOf } from '../paths.ts';
import { EditableList } from './EditableList.tsx';
import { changeClientIds } from './provider.ts';

const texts = accessTexts.providers;

export default function ProviderPage({ parameters }: PageProps) {
  const arn = parameters['arn'] ?? '';
  const of = { OpenIDConnectProviderArn: arn };
  const provider = useResource((signal) => call(iam.GetOpenIDConnectProvider, of, signal), [arn]);
  const [isDeleting, setIsDeleting] = useState(false);
  const issuer = issuerOf(arn);
  return (
    <Details
      name={issuer}
      resource={provider}
      actions={
        <ButtonDropdown items={[{ id: 'delete', text: accessTexts.details.delete }]} onItemClick={() => setIsDeleting(true)}>
          {accessTexts.details.actions}
        </ButtonDropdown>
      }
      facts={({ Url = '', CreateDate }) => [
        { label: texts.url, value: visibleLine(Url.startsWith('https://') ? Url : `https://${Url}`) },
        { label: accessTexts.arn, value: <CopyText text={arn} /> },
        { label: accessTexts.created, value: <Time seconds={CreateDate} absent={accessTexts.unknown} /> },
      ]}
      parts={({ ClientIDList = [], ThumbprintList = [], Tags: tags = [] }) => [
        {
          id: 'clients',
          label: texts.clientIds,
          content: (
            <EditableList
              texts={texts.clients}
              items={ClientIDList}
              onSave={(after) => changeClientIds(arn, ClientIDList, after)}
              onSaved={provider.reload}
            />
          ),
        },
        {
          id: 'thumbprints',
          label: texts.thumbprints.title,
          content: (
            <EditableList
              texts={texts.thumbprints}
              items={ThumbprintList}
              onSave={async (after) => void (await call(iam.UpdateOpenIDConnectProviderThumbprint, { ...of, ThumbprintList: after }))}
              onSaved={provider.reload}
            />
          ),
        },
        {
          id: 'tags',
          label: accessTexts.tags.title,
          content: (
            <Tags
              tags={tags}
              onSaved={provider.reload}
              onSet={(set) => call(iam.TagOpenIDConnectProvider, { ...of, Tags: set })}
              onRemove={(keys) => call(iam.UntagOpenIDConnectProvider, { ...of, TagKeys: keys })}
            />
          ),
        },
      ]}
    >
      {isDeleting && (
        <ConfirmDelete
          kind={texts.kind}
          name={issuer}
          consequences={texts.removal}
          onDelete={async () => void (await call(iam.DeleteOpenIDConnectProvider, of))}
          onDone={() => navigate(accessPaths.providers)}
          onClose={() => setIsDeleting(false)}
        />
      )}
    </Details>
  );
}
