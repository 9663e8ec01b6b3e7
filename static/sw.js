/* web/offline.py puts KEPT before this text. */
self.oninstall = event => event.waitUntil(caches.open('offline').then(kept =>
  kept.addAll(KEPT.map(url => new Request(url, { credentials: 'omit' })))))
self.onfetch = event => {
  const asked = event.request, isPage = asked.mode === 'navigate'
  if (asked.method === 'GET' && (isPage || KEPT.includes(new URL(asked.url).pathname)))
    event.respondWith(fetch(asked).catch(() => caches.match(isPage ? KEPT[0] : asked)))
}
