"""Keys of manufacturing: how much a company makes itself, in what lots, and how far its orders miss the standard."""

from typing import Annotated

from generation.engine.config.fields import Section, key


class Production(Section):
    """Goods made from bought components, at standard cost."""

    made_share: Annotated[
        float,
        key(
            "How many of the goods that a manufacturer sells it makes itself; the others it buys as they are.",
            unit="share of goods sold",
            source="our recommendation: 70 %",
            ge=0.05,
            le=1,
        ),
    ] = 0.7
    lot_days: Annotated[
        int,
        key(
            "For how many days of sales a production order makes a good: the shorter, the more orders.",
            unit="days",
            source="our recommendation: four weeks",
            ge=7,
            le=90,
        ),
    ] = 28
    labour_share: Annotated[
        float,
        key(
            "How much of the pay works on production orders and goes into the cost of what is made.",
            unit="share of pay with the employer's contributions",
            source="our recommendation: 40 %",
            ge=0,
            le=0.9,
        ),
    ] = 0.4
    overhead_rate: Annotated[
        float,
        key(
            "Overhead that production orders absorb with each unit of labour.",
            unit="share of labour",
            source="our recommendation: 60 %",
            ge=0,
            le=3,
        ),
    ] = 0.6
    scrap_rate: Annotated[
        float,
        key(
            "How often a production order loses some of its pieces, 1 to 8 %.",
            unit="share of production orders",
            source="our recommendation: 15 %",
            ge=0,
            le=1,
        ),
    ] = 0.15
    usage_deviation: Annotated[
        float,
        key(
            "How far the components that an order uses are off its bill of material, at most, in either direction.",
            unit="share of the standard quantity",
            source="our recommendation: 4 %",
            ge=0,
            le=0.5,
        ),
    ] = 0.04
    time_deviation: Annotated[
        float,
        key(
            "How far the time that an operation takes is off its routing, at most, in either direction.",
            unit="share of the standard time",
            source="our recommendation: 12 %",
            ge=0,
            le=0.9,
        ),
    ] = 0.12
