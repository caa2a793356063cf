import { ExchangeSeries } from './exchange-series.ts';
import { mapIn } from './map-in.ts';
import type { RequestMetrics } from './request-metrics.ts';

/** Beyond this many a tree begins anew: what it holds are short cuts, and it must not grow with the nodes and consumers that come and go. */
const MAX_EXCHANGES = 4096;

type ByNode = Map<string, Map<string, ExchangeSeries>>;

/**
 * Finds the series of a request by look-ups of texts that are there already: joining them to one key, as the metrics themselves
 * do, would cost a request ten times as much.
 */
export class SeriesTree {
  readonly #metrics: RequestMetrics;
  readonly #byRoute = new Map<string, Map<string, ByNode>>();
  #size = 0;
  /** Where the last request's route, service and node led: most requests follow one of the same route, and comparing is cheaper than finding. */
  #lastRoute: string | undefined;
  #lastService: string | undefined;
  #lastByNode: ByNode = new Map();
  #lastNode: string | undefined;
  #lastByConsumer = new Map<string, ExchangeSeries>();

  constructor(metrics: RequestMetrics) {
    this.#metrics = metrics;
  }

  find(route: string, service: string, consumer: string, node: string): ExchangeSeries {
    if (route !== this.#lastRoute || service !== this.#lastService) {
      this.#lastByNode = mapIn(mapIn(this.#byRoute, route), service);
      this.#lastRoute = route;
      this.#lastService = service;
      this.#lastNode = undefined;
    }
    if (node !== this.#lastNode) {
      this.#lastByConsumer = mapIn(this.#lastByNode, node);
      this.#lastNode = node;
    }
    return this.#lastByConsumer.get(consumer) ?? this.#add(route, service, consumer, node);
  }

  #add(route: string, service: string, consumer: string, node: string): ExchangeSeries {
    const series = new ExchangeSeries(this.#metrics, { route, service, consumer, node });
    this.#size++;
    if (this.#size > MAX_EXCHANGES) {
      this.#size = 0;
      this.#byRoute.clear();
      this.#lastRoute = undefined;
    } else {
      this.#lastByConsumer.set(consumer, series);
    }
    return series;
  }
}
