import { getProducts, openUpdates } from './httpClient.js';

const list = document.querySelector('#products');

async function show() {
  const { products } = await getProducts();
  list.replaceChildren(
    ...products.map((product) => {
      const item = document.createElement('li');
      item.textContent = `${product.name}: ${(product.price_cents / 100).toFixed(2)}`;
      return item;
    }),
  );
}

show();
openUpdates(show);
