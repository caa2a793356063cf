import { ExchangeSeries } from './exchange-series.ts';
import { mapIn } from './map-in.ts';
import type { RequestMetrics } from './request-metrics.ts';

/** Beyond this many a tree begins anew: what it holds are short cuts, and it must not grow with the nodes and consumers that come and go. */
const MAX_EXCHANGES = 4096;

type ByConsumer = Map<string, Map<string, ExchangeSeries>>;

/**
 * Finds the series of a request by four look-ups of texts that are there already: joining them to one key, as the metrics themselves
 * do, would cost a request ten times as much.
 */
export class SeriesTree {
  readonly #metrics: RequestMetrics;
  readonly #byRoute = new Map<string, Map<string, ByConsumer>>();
  #size = 0;
  /** Where the last request's route and service led: most requests follow one of the same route, and comparing is cheaper than finding. */
  #lastRoute: string | undefined;
  #lastService: string | undefined;
  #lastByConsumer: ByConsumer = new Map();

  constructor(metrics: RequestMetrics) {
    this.#metrics = metrics;
  }

  find(route: string, service: string, consumer: string, node: string): ExchangeSeries {
    if (route !== this.#lastRoute || service !== this.#lastService) {
      this.#lastByConsumer = mapIn(mapIn(this.#byRoute, route), service);
      this.#lastRoute = route;
      this.#lastService = service;
    }
    const byNode = mapIn(this.#lastByConsumer, consumer);
    return byNode.get(node) ?? this.#add(byNode, route, service, consumer, node);
  }

  #add(byNode: Map<string, ExchangeSeries>, route: string, service: string, consumer: string, node: string): ExchangeSeries {
    const series = new ExchangeSeries(this.#metrics, { route, service, consumer, node });
    this.#size++;
    if (this.#size > MAX_EXCHANGES) {
      this.#size = 0;
      this.#byRoute.clear();
      this.#lastRoute = undefined;
    } else {
      byNode.set(node, series);
    }
    return series;
  }
}
