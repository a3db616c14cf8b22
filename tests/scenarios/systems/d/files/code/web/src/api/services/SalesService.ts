/* generated using openapi-typescript-codegen -- do no edit */
/* istanbul ignore file */
/* tslint:disable */
/* eslint-disable */
import { OpenAPI } from '../core/OpenAPI';
import { request as __request } from '../core/request';

export class SalesService {
    /**
     * @returns any The basket
     * @throws ApiError
     */
    public static getBasket(): Promise<{ tickets: Array<number> }> {
        return __request(OpenAPI, {
            method: 'GET',
            url: '/basket',
        });
    }
    /**
     * @param requestBody
     * @returns any The order
     * @throws ApiError
     */
    public static createOrder(requestBody: { event: number; tickets: number }): Promise<{ id: number }> {
        return __request(OpenAPI, {
            method: 'POST',
            url: '/orders',
            body: requestBody,
            mediaType: 'application/json',
        });
    }
    /**
     * @returns any A member's orders
     * @throws ApiError
     */
    public static listOwnOrders(): Promise<{ member: string; orders: Array<number> }> {
        return __request(OpenAPI, {
            method: 'GET',
            url: '/orders/mine',
        });
    }
    /**
     * @param requestBody
     * @returns any A token
     * @throws ApiError
     */
    public static createSession(requestBody: { mail: string; word: string }): Promise<{ token: string }> {
        return __request(OpenAPI, {
            method: 'POST',
            url: '/session',
            body: requestBody,
            mediaType: 'application/json',
        });
    }
}
