/** What the console and the server are made with. */

import { useState } from 'react';

import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';

import { partTexts } from '../../texts/parts.ts';
import { settingsTexts } from '../../texts/settings.ts';
import { CodeView } from '../../ui/code/CodeView.tsx';
import { useResource } from '../../ui/resource.ts';
import { Listing } from '../../ui/table/Listing.tsx';
import { visibleLine } from '../../ui/visible.ts';
import { thirdParties, type ThirdParty } from './thirdParty.ts';

const texts = settingsTexts.licences;

export function Licences() {
  const packages = useResource(thirdParties, []);
  const [shown, setShown] = useState<ThirdParty>();
  return (
    <>
      <Listing
        title={texts.title}
        description={texts.description}
        things={texts.things}
        variant="container"
        resource={packages}
        keyOf={({ part, name, version }) => `${part} ${name} ${version}`}
        textOf={({ name, licence }) => `${name} ${licence}`}
        columns={[
          { id: 'name', header: texts.name, isRowHeader: true, sortBy: ({ name }) => name, cell: ({ name }) => visibleLine(name) },
          { id: 'version', header: texts.version, cell: ({ version }) => visibleLine(version) },
          { id: 'part', header: texts.part, sortBy: ({ part }) => part, cell: ({ part }) => texts[part] },
          { id: 'licence', header: texts.licence, sortBy: ({ licence }) => licence, cell: ({ licence }) => visibleLine(licence) },
          {
            id: 'text',
            header: texts.text,
            cell: (item) => (
              <Button variant="inline-link" ariaLabel={texts.showOf(visibleLine(item.name))} onClick={() => setShown(item)}>
                {texts.show}
              </Button>
            ),
          },
        ]}
        empty={{ title: texts.empty, body: texts.emptyBody }}
      />
      {shown && (
        <Modal
          visible
          size="large"
          header={texts.textOf(visibleLine(shown.name))}
          closeAriaLabel={partTexts.forms.close}
          onDismiss={() => setShown(undefined)}
        >
          {shown.text === undefined ? texts.noText : <CodeView text={shown.text} label={texts.textOf(visibleLine(shown.name))} />}
        </Modal>
      )}
    </>
  );
}
