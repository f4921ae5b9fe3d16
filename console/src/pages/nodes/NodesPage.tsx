/** The managed nodes. */

import Header from '@cloudscape-design/components/header';
import Table from '@cloudscape-design/components/table';

import { frameTexts } from '../../texts/frame.ts';

export default function NodesPage() {
  return <Table variant="full-page" columnDefinitions={[]} items={[]} header={<Header>{frameTexts.navigation.nodes}</Header>} />;
}
