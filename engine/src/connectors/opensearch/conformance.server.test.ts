import { opensearch, startOpenSearch } from '../../testing/servers/opensearch.ts';
import { searchConforms } from './testing/search-conforms.ts';

await searchConforms({ type: 'opensearch', needs: opensearch, start: startOpenSearch });
