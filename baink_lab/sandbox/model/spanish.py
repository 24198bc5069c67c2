"""Whether a customer writes in Spanish, of which this model reads nothing but the numbers."""

from __future__ import annotations

import re

ENGLISH_ONLY = (
    "I am a small script and understand English only, so I did nothing. Please say it in English. "
    "(Solo entiendo inglés y no he hecho nada: escríbelo en inglés, por favor.)"
)


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_GREETINGS = _set("hola gracias adiós adios")
_PLAIN = _GREETINGS | _set(
    "ahorro ahorros apruebo apruebe aprueba ayuda buenas buenos cancela corriente cuál cuales "
    "cuáles cuánta cuánto cuanta cuanto cuenta cuentas dime dinero dólar dólares dolar dolares "
    "envía envia enviar favor haz historial manda mandar móvil movil movimientos mover mueve "
    "muestra muestrame muéstrame necesito paga pagar perdí perdi puede puedes puedo qué quiero "
    "quisiera saldo teléfono telefono tengo transacciones transferencia transferir transfiere "
    "transfiera últimas ultimas últimos ultimos"
)
#: In names too: "Maria de la Cruz" is no sentence.
_LINKS = _set(
    "a al con cual de del desde el en es hacia la las los mi mis otra otro para por que se tu un "
    "una y"
)
_ENGLISH = _set(
    "and balance can do for from how i in is move my of pay please send show the to transfer what "
    "you"
)


def is_spanish(text: str) -> bool:
    """Whether a message is a Spanish sentence, rather than an English one with Spanish in it."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    plain, links = (sum(word in known for word in words) for known in (_PLAIN, _LINKS))
    if not plain or not _ENGLISH.isdisjoint(words):
        return False
    greets = {*words, "aiya"} - _GREETINGS == {"aiya"}
    return greets or (plain + links >= 2 and 2 * (plain + links) >= len(words))
