import { elasticsearch, startElasticsearch } from '../../testing/servers/elasticsearch.ts';
import { searchConforms } from './testing/search-conforms.ts';

await searchConforms({ type: 'elasticsearch', needs: elasticsearch, start: startElasticsearch });
