import { elasticsearch, startElasticsearch } from '../../testing/servers/elasticsearch.ts';
import { searchFaults } from './testing/search-faults.ts';

// What is published of it has no data streams: they are of its other license.
await searchFaults({ name: 'Elasticsearch', needs: elasticsearch, start: startElasticsearch, streams: false });
