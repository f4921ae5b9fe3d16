/** The document of a policy's version: the one in force, or the one that the address asks for. */

import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';

import { Loading } from '../../../app/Loading.tsx';
import { useLocation } from '../../../router/location.ts';
import { accessTexts } from '../../../texts/access.ts';
import { useResource } from '../../../ui/resource.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { Failure } from '../../../ui/denial/Failure.tsx';
import { CodeView } from '../../../ui/code/CodeView.tsx';
import { formatted } from '../policy/examples.ts';
import { policyDocument } from './policy.ts';

const texts = accessTexts.policies;

interface Props {
  readonly arn: string;
  readonly inForce: string;
}

export function Document({ arn, inForce }: Props) {
  const { query } = useLocation();
  const version = query.get('version') ?? inForce;
  const document = useResource((signal) => policyDocument(arn, version, signal), [arn, version]);
  const description = version === inForce ? texts.documentDescription : undefined;
  return (
    <Container
      header={
        <Header variant="h2" counter={`(${visibleLine(version)})`} description={description}>
          {texts.document}
        </Header>
      }
    >
      {document.error !== undefined && <Failure error={document.error} retry={document.reload} />}
      {document.value === undefined && document.error === undefined && <Loading />}
      {document.value !== undefined && <CodeView text={formatted(document.value) ?? document.value} label={texts.document} />}
    </Container>
  );
}
