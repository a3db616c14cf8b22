/* generated using openapi-typescript-codegen -- do no edit */
/* istanbul ignore file */
/* tslint:disable */
/* eslint-disable */
import { OpenAPI } from '../core/OpenAPI';
import { request as __request } from '../core/request';

export type Event = { id: number; title: string; venue: number; starts: string };
export type Venue = { id: number; town: string; seats: number };

export class CatalogueService {
    /**
     * @returns any The season
     * @throws ApiError
     */
    public static getSeason(): Promise<{ title: string; begins?: string }> {
        return __request(OpenAPI, {
            method: 'GET',
            url: '/season',
        });
    }
    /**
     * @returns Event What is on
     * @throws ApiError
     */
    public static listEvents(): Promise<Array<Event>> {
        return __request(OpenAPI, {
            method: 'GET',
            url: '/events',
        });
    }
    /**
     * @returns Venue Houses
     * @throws ApiError
     */
    public static listVenues(): Promise<Array<Venue>> {
        return __request(OpenAPI, {
            method: 'GET',
            url: '/venues',
        });
    }
    /**
     * @returns number Cents by kind of seat
     * @throws ApiError
     */
    public static getQuote(): Promise<Record<string, number>> {
        return __request(OpenAPI, {
            method: 'GET',
            url: '/quote',
        });
    }
}
