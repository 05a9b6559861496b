import { opensearch, startOpenSearch } from '../../testing/servers/opensearch.ts';
import { searchFaults } from './testing/search-faults.ts';

await searchFaults({ name: 'OpenSearch', needs: opensearch, start: startOpenSearch, streams: true });
