"""What columns are called: words of reports, shops and CRMs in eight languages, without accents and in lower case.

English, German, French, Spanish, Italian, Dutch, Portuguese and Russian, as tools' documents and help pages have them.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_APART = re.compile(r"[^\w%]+|_+")
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "œ": "oe", "æ": "ae", "ł": "l"})


@lru_cache(4096)  # a file's columns are compared with each phrase
def plain(name: str) -> str:
    """`AdGroup_ID` and `ad group id` → `ad group id`; `Währung` → `wahrung`; `Nº de commande` → `no de commande`."""
    apart = _CAMEL.sub(" ", name) if not name.isupper() else name
    folded = unicodedata.normalize("NFKD", apart).casefold().translate(_LETTERS)
    bare = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return " ".join(_APART.sub(" ", bare).split())


def _words(text: str) -> frozenset[str]:
    return frozenset(plain(text).split())


def _raw(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(plain(each) for each in text.split("|"))


GLUE = _words(
    "of the a an der die das des de du la le les el los las il lo i gli di del della delle da do dos het van een en"
)
"""Words that say nothing."""

ID = _words(
    "номер идентификатор id ids identifier identifiant identificador identificativo codigo codice kennung key nr "
    "no number num nummer numero code uuid guid ref reference referenz referencia"
)
NAME = _words("название имя name names title titel titre nombre nome naam nom bezeichnung label")

RATIO = _words(
    "средняя средний среднее доля процент цена ставка ctr cpc cpm cpa cpl cpv cpi cpo cpe cps cpp cpt cpcv ecpm "
    "ecpc ecpa rpm arpu aov roas roi acos tacos cvr vtr cr rate rates ratio quote rata tasa tasso taux taxa share "
    "anteil parte percent percentage prozent % pct pourcentage avg average durchschn durchschnitt durchschnittlich "
    "durchschnittliche moyen moyenne medio gemiddeld gemiddelde frequency frequenz frequence frecuencia frequenza "
    "frequentie haufigkeit per pro par por je index position rank ranking score"
)
"""Words of numbers that follow from others, or cannot be added up."""
NO_METRIC = _words(
    "охват бюджет budget bid gebot enchere puja offerta bod limit cap reach reichweite portee alcance copertura "
    "bereik unique uniques goal ziel target tax taxes steuer mwst iva tva discount rabatt remise descuento sconto "
    "korting shipping versand livraison envio spedizione verzending fee fees gebuhr gebuhren quantity menge qty "
    "cantidad quantite quantita aantal probability wahrscheinlichkeit weighted gewichtet expected forecast "
    "prognose viewable view quartile lost eligible engaged assisted new neue subtotal stock tip duties invalid"
)
"""Words that make of a metric's name something else."""

OBJECTS: dict[str, tuple[str, ...]] = {
    "ad_group": _phrases(
        "ad group|adgroup|ad set|adset|ad squad|line item|lineitem|anzeigengruppe|anzeigengruppen|anzeigen gruppe|"
        "groupe d annonces|groupe annonces|ensemble de publicites|ensemble publicitaire|grupo de anuncios|"
        "conjunto de anuncios|gruppo di annunci|gruppo annunci|gruppo di inserzioni|gruppo inserzioni|"
        "advertentiegroep|advertentieset|werbegruppe|creative set|группа объявлений|группы объявлений|группа|группы"
    ),
    "campaign": _phrases(
        "campaign|campaigns|kampagne|kampagnen|campagne|campagnes|campana|campanas|campagna|campagne pubblicitaria|"
        "campanha|campanhas|kampania|insertion order|werbekampagne|кампания|кампании"
    ),
    "keyword": _phrases(
        "keyword|keywords|schlusselwort|schlusselworter|suchkeyword|mot cle|mots cles|palabra clave|parola chiave|"
        "zoekwoord|palavra chave|search keyword|ключевое слово|ключевая фраза|фраза"
    ),
    "ad": _phrases(
        "ad|ads|anzeige|anzeigen|werbeanzeige|annonce|annonces|publicite|anuncio|anuncios|annuncio|inserzione|"
        "advertentie|creative|creatives|creatividad|creativita|werbemittel|banner|promoted pin|объявление|"
        "объявления"
    ),
    "profile": _phrases(
        "account|ad account|konto|werbekonto|compte|compte publicitaire|cuenta|cuenta publicitaria|"
        "account pubblicitario|advertiser|advertisers|werbetreibender|annonceur|anunciante|inserzionista|"
        "adverteerder|customer|kunde|kundennummer|client|konto id|seat|аккаунт|клиент|рекламодатель"
    ),
    "order": _phrases(
        "order|orders|bestellung|bestell|auftrag|commande|pedido|ordine|bestelling|encomenda|transaction|purchase|"
        "заказ|заказа"
    ),
    "deal": _phrases(
        "deal|opportunity|opportunities|record|geschaft|verkaufschance|opportunite|oportunidad|opportunita|negocio|"
        "affaire|сделка|сделки"
    ),
    "lead": _phrases(
        "lead|leads|contact|kontakt|prospect|submission|anfrage|contacto|contatto|formular|response|enquiry|"
        "inquiry|лид|лида|заявка"
    ),
}
"""What an id, or a name, may be of; longer phrases come first."""

FIELDS: dict[str, tuple[str, ...]] = {
    "impressions": _phrases(
        "impressions|impression|impr|displays|affichages|imps|ad impressions|impressionen|einblendungen|"
        "werbeeinblendungen|impresiones|impressioni|impressoes|vertoningen|weergaven|imprese|total impressions|"
        "served impressions|impressions served|показы|просмотры объявлений"
    ),
    "clicks": _phrases(
        "clicks|clicks all|klicks alle|clics todos|clics tous|clic tutti|cliques todos|klikken alle|click|klicks|"
        "klick|clics|clic|cliques|klikken|link clicks|swipes|taps|total clicks|ad clicks|link klicks|"
        "clics en el enlace|clic sul link|clics sur un lien|klikken op link|clicks destination|swipe ups|клики|"
        "переходы"
    ),
    "spend": _phrases(
        "spend|spent|cost|costs|amount spent|total spend|total cost|ad spend|ad cost|media cost|media spend|kosten|"
        "ausgaben|ausgegebener betrag|werbekosten|werbeausgaben|mediakosten|depenses|depense|cout|couts|"
        "montant depense|cout total|gasto|coste|costo|importe gastado|coste total|spesa|importo speso|spese|"
        "costo totale|uitgaven|besteed bedrag|bestede bedrag|kosten totaal|custo|valor gasto|valor usado|"
        "investimento|inversion|net spend|net cost|gross spend|spending|billed amount|billed charge|charges|"
        "gesamtkosten|advertiser cost|amount billed|spend net|netto kosten|расход|расходы|затраты|стоимость|"
        "потрачено"
    ),
    "conversions": _phrases(
        "conversions|conversion|conv|total conversions|konversionen|konvertierungen|conversiones|conversioni|"
        "conversies|conversoes|purchases|kaufe|einkaufe|achats|compras|acquisti|aankopen|results|ergebnisse|"
        "resultats|resultados|risultati|resultaten|orders|bestellungen|auftrage|commandes|pedidos|ordini|"
        "acquisitions|transactions|transaktionen|actions|installs|app installs|key events|schlusselereignisse|"
        "goal completions|leads|attributed sales count|attributed orders|website purchases|ecommerce purchases|"
        "evenements cles|goals|goal conversions|post click conversions|конверсии|покупки|целевые действия|заказы"
    ),
    "revenue": _phrases(
        "revenue|conversion value|conversions value|conv value|total conversion value|total conv value|all revenue|"
        "conversion wert|conv wert|wert der conversions|wert der kaufe|umsatz|gesamtumsatz|erlos|einnahmen|"
        "verkaufe|sales|total sales|attributed sales|sales amount|sales value|purchase value|purchases value|"
        "purchases conversion value|purchase conversion value|order value|bestellwert|warenwert|"
        "valeur de conversion|valeur des conversions|valeur conv|chiffre d affaires|ca|ventes|"
        "valeur de conversion des achats|valor de conversion|valor de las conversiones|ingresos|ventas|valor conv|"
        "valore di conversione|valore conv|valore delle conversioni|ricavi|entrate|vendite|fatturato|omzet|"
        "conversiewaarde|verkoop|opbrengst|receita|vendas|valor da conversao|faturamento|total revenue|"
        "purchase revenue|income|turnover|conversion revenue|gross revenue|net revenue|total value|"
        "conversion sum value|доход|выручка|ценность конверсий|сумма продаж"
    ),
    "currency": _phrases(
        "currency|currency code|account currency|wahrung|wahrungscode|devise|code devise|code de devise|moneda|"
        "codigo de moneda|divisa|valuta|codice valuta|valutacode|moeda|iso currency|order currency|deal currency|"
        "валюта|код валюты"
    ),
    "date": _phrases(
        "date|day|datum|tag|jour|fecha|dia|data|giorno|dag|report date|stat date|stat time day|time period|by day|"
        "daily|date day|reporting date|activity date|event date|datum tag|dt|ymd|timestamp|time|zeit|zeitpunkt|"
        "heure|periode|metric date|stats date|performance date|date start|segments date|calendar date|дата|день"
    ),
    "hour": _phrases("hour|stunde|heure|hora|ora|uur|hour of day|hour of the day|stunde des tages|час"),
    "platform": _phrases(
        "platform|plattform|plateforme|plataforma|piattaforma|ad platform|ad network|network|netzwerk|"
        "publisher platform|media source|werbeplattform|site|ad channel|площадка|платформа"
    ),
    "utm_source": _phrases(
        "utm source|session source|traffic source|source|quelle|herkunft|fuente|fonte|bron|sitzungsquelle|"
        "first user source"
    ),
    "utm_medium": _phrases("utm medium|session medium|medium|support|medio|mezzo|sitzungsmedium|moyen"),
    "utm_campaign": _phrases(
        "utm campaign|session campaign|session campaign name|campaign|campaign name|kampagne|kampagnenname|"
        "campagne|nom de la campagne|campana|campagna|nome campagna|campanha|campagnenaam|first user campaign|"
        "utm campaign name|primary campaign source|campaign source"
    ),
    "channel": _phrases(
        "channel|kanal|canal|canale|kanaal|channel group|channel grouping|default channel group|"
        "session default channel group|default channel grouping|lead source|leadquelle|sales channel|verkaufskanal|"
        "canal de vente|original source|original traffic source|channel type|marketing channel|"
        "origen del prospecto|referrer|origin|acquisition channel|referring channel|source channel|traffic channel|"
        "how did you hear about us"
    ),
    "geo": _phrases(
        "country|land|pays|pais|paese|geo|region|gebiet|state|bundesland|region name|country code|location|"
        "standort|billing country|shipping country|rechnungsland|lieferland|country region|market|markt|dma|"
        "province|provincia|regione|territory|city|stadt|geo region|billing address country|"
        "shipping address country|страна|регион|город"
    ),
    "sessions": _phrases(
        "sessions|visits|sitzungen|besuche|visites|sesiones|visitas|sessioni|visite|sessies|bezoeken|sessoes|"
        "nb visits|entrances|total sessions|total visits|visit count|anzahl besuche|визиты|сеансы|посещения"
    ),
    "pageviews": _phrases(
        "pageviews|page views|views|seitenaufrufe|aufrufe|seitenansichten|pages vues|vues|paginas vistas|"
        "numero de paginas vistas|vistas|vistas de pagina|visualizzazioni|visualizzazioni di pagina|"
        "paginaweergaven|visualizacoes|nb pageviews|screen page views|views screens|page impressions|"
        "total page views|actions pageviews|просмотры|просмотры страниц"
    ),
    "refunded": _phrases(
        "refunded|refunded amount|refund|refunds|refund amount|total refunded|amount refunded|erstattet|erstattung|"
        "erstatteter betrag|ruckerstattung|gutschrift|rembourse|montant rembourse|remboursement|reembolso|"
        "importe reembolsado|rimborso|importo rimborsato|terugbetaald|order refund amount|returns|returned amount|"
        "retouren"
    ),
    "won": _phrases(
        "is won|iswon|won|gewonnen|gagne|ganado|ganada|vinta|vinto|is closed won|gewonnen ja nein|deal won"
    ),
    "value": _phrases(
        "value|wert|valeur|valor|valore|waarde|kpi value|metric value|amount|betrag|observed value|y|measure|значение"
    ),
    "name": _phrases(
        "metric|kpi|metrik|kennzahl|metrique|metrica|series|series name|kpi name|metric name|indicator|variable|"
        "name|control|factor|measure name|indikator|показатель|название"
    ),
    "order_id": _phrases(
        "order id|order number|order no|order name|order|bestellnummer|bestell id|auftragsnummer|bestellung|"
        "commande|numero de commande|no de commande|id commande|numero de pedido|id pedido|pedido|numero d ordine|"
        "ordine|id ordine|bestelnummer|ordernummer|numero do pedido|transaction id|order key|order reference|"
        "increment id|purchase id|transaction code|transaktionscode|transaktionsnummer|transaktions id|payment id|"
        "payment number|charge id|zahlungsnummer|invoice number|rechnungsnummer|id|номер заказа|заказ|id заказа"
    ),
    "deal_id": _phrases(
        "deal id|record id|opportunity id|opportunity number|deal|hs object id|id|deal record id|datensatz id|"
        "verkaufschancen id"
    ),
    "lead_id": _phrases(
        "lead id|leadgen id|contact id|response id|submission id|record id|id|entry id|anfrage id|lead gen id"
    ),
    "population": _phrases(
        "population|people|inhabitants|einwohner|bevolkerung|poblacion|popolazione|bevolking|residents"
    ),
    "age_band": _phrases(
        "age|age band|age group|alter|altersgruppe|tranche d age|edad|fascia d eta|leeftijd|age range"
    ),
    "year": _phrases("year|jahr|annee|ano|anno|jaar"),
    "base": _phrases("base|base currency|from|from currency|von|basiswahrung|source currency"),
    "quote": _phrases("quote|quote currency|to|to currency|nach|zielwahrung|target currency|counter currency"),
    "rate": _phrases(
        "rate|exchange rate|fx rate|kurs|wechselkurs|taux de change|tipo de cambio|tasso di cambio|koers|close"
    ),
}
"""What the columns of a field are called, the most usual first: of several columns of a file, the first counts."""

MOMENTS: dict[str, tuple[str, ...]] = {
    "orders": _phrases(
        "order date|date created|created at|created|created date|order created|bestelldatum|auftragsdatum|"
        "date de commande|fecha de pedido|fecha del pedido|data ordine|data dell ordine|besteldatum|purchased at|"
        "purchase date|purchased on|placed at|date placed|order time|datum|date|transaction date|"
        "order created date|date created gmt|paid at|paid date|processed at|kaufdatum|erstellt am|date added|"
        "order date time|date de creation|fecha de creacion|data do pedido|дата заказа|дата создания"
    ),
    "deals": _phrases(
        "close date|closed date|closed at|closedate|won date|won time|won at|abschlussdatum|geschlossen am|"
        "gewonnen am|date de cloture|fecha de cierre|data di chiusura|sluitingsdatum|data de fechamento|"
        "actual close date|expected close date|deal closed on|deal closed date|date|дата закрытия|дата сделки"
    ),
    "leads": _phrases(
        "created time|created at|created date|create date|created|submitted at|submission date|submit date|"
        "lead date|date added|timestamp|date created|erstellt am|erstelldatum|eingangsdatum|date de creation|"
        "fecha de creacion|data di creazione|date|datum|submission time|first seen|conversion date|aanmaakdatum|"
        "дата создания|дата заявки"
    ),
}
"""Which of several dates counts, by data type."""

AMOUNTS: dict[str, tuple[str, ...]] = {
    "orders": _phrases(
        "total|grand total|order total|total price|total amount|amount|order amount|total paid|order total amount|"
        "gesamtsumme|gesamtbetrag|summe|bestellsumme|rechnungsbetrag|endbetrag|total ttc|montant total|montant|"
        "total del pedido|importe total|importe|importo totale|totale|totale ordine|totaal|totaalbedrag|"
        "valor total|net sales|total sales|gross sales|revenue|umsatz|order value|bestellwert|subtotal|net total|"
        "price|betrag|base grand total|total inc tax|order net total|gross|gross amount|brutto|bruttobetrag|"
        "net amount|netto|captured amount|amount captured|payment amount|сумма заказа|сумма|итого"
    ),
    "deals": _phrases(
        "amount|deal amount|deal value|value|deal size|total amount|amount in company currency|"
        "amount in home currency|betrag|wert|auftragswert|dealwert|deal wert|montant|valeur|importe|valor|importo|"
        "valore|bedrag|waarde|revenue|umsatz|actual revenue|closed amount|won amount|contract value|acv|tcv|"
        "total price|est revenue|estimated revenue|сумма сделки|сумма|бюджет сделки"
    ),
    "leads": _phrases("value|lead value|wert|revenue|valeur|valor|amount"),
}
"""Which of several amounts is the revenue, by data type."""

PERSONAL = _words(
    "email mail phone telefon telephone mobile address adresse direccion indirizzo street strasse zip plz postcode "
    "postal firstname lastname vorname nachname prenom apellido cognome customer kunde client first last full "
    "vollstandiger"
)
"""Of people: never read."""
WON = _phrases(
    "won|closed won|closedwon|gewonnen|abgeschlossen und gewonnen|geschlossen und gewonnen|gagne|ferme gagne|"
    "ganado|cerrado ganado|cierre ganado|cerrada ganada|vinto|chiusa vinta|chiuso vinto|gewonnen deal|ganho|"
    "fechado ganho|success|deal won"
)
PAID = _phrases(
    "paid|completed|complete|processing|partially paid|partially refunded|refunded|shipped|delivered|closed|"
    "bezahlt|abgeschlossen|in bearbeitung|versendet|geliefert|paye|payee|terminee|en cours|expediee|pagado|"
    "completado|procesando|enviado|pagato|completato|spedito|betaald|voltooid|fulfilled|success|succeeded|approved|"
    "pago|concluido"
)
STATE = _words("status stage phase state etape etapa fase stadio stadium zustand statut estado stato")
"""Columns that say how far an order or a deal is."""

CONTROLS = _words(
    "holiday holidays feiertag feiertage weather wetter temperature temperatur rain regen promo promotion "
    "promotions inflation unemployment competitor wettbewerber price preis school ferien covid season saison cpi "
    "sunshine"
)
"""What else moves a KPI."""
CODES = _raw(
    "EUR USD GBP CHF JPY CNY SEK NOK DKK PLN CZK HUF RON BGN TRY AUD NZD CAD MXN BRL INR IDR KRW SGD HKD ZAR ILS "
    "AED THB"
)
"""Codes of currencies behind or in a column's name."""
NEUTRAL = _words(
    "total all amount ad ads currency gross attributed number nb anzahl count counts sum nombre numero value wert "
    "gesamt website web online summe usd eur day days 7 14 30 click day7 d local account report"
)
"""Words beside a metric's name that leave it what it is."""
CUTS = _words("device gerat age alter gender geschlecht placement platzierung hour stunde region country land")
"""Columns by which an object's day is cut."""
DEALS = _words(
    "deal deals opportunity opportunities pipeline stage geschaft verkaufschance verkaufschancen opportunite "
    "oportunidad opportunita dealname dealstage negocio phase etapa fase"
)
"""Words of files of deals."""
ORDERS = _words(
    "payment payments zahlung zahlungen paiement pago pagamento transaction transaktion transaktionscode charge "
    "charges payer zahler card karte refund refunded refunds gross brutto netto fee fees gebuhr gebuhren invoice "
    "invoices rechnung captured gateway order orders bestellung bestellnummer bestelldatum commande pedido ordine "
    "bestelling bestelnummer sku shipping versand lineitem item subtotal cart warenkorb encomenda checkout billing "
    "fulfillment gateway payment zahlungsart coupon livraison envio spedizione"
)
"""Words of files of orders."""
LEADS = _words("lead leads leadgen form formular submission mql sql contact kontakt prospect enquiry inquiry anfrage")
"""Words of files of leads."""
STARTS = _words("start starts begin begins beginnt from von ab debut inicio inizio desde starting")
"""Of the first of two days."""
ENDS = _words("end ends endet to bis fin fine hasta ending ende")
"""Of the last of two days."""
PERIODS = _words("week woche semaine semana settimana month monat mois mes mese quarter quartal year jahr")
"""Of spans that are no day."""
CURRENCIES = _words("currency wahrung wahrungscode devise moneda divisa valuta moeda")
"""Words for a currency."""
VALUES = _words("value values wert werte valeur valeurs valor valore waarde")
"""Words for what something is worth."""
PLACES = _words("country land pays pais paese region state")
"""Places that tell nothing of a single person."""
SALES = _words("sales verkaufe ventes ventas vendite verkoop vendas")
"""Words for numbers and for amounts."""
