"""MEXC spot v3 on the wire: REST, and a stream of protobuf frames, over a `World`.

Sources: MEXC's published documents (spot v3), its published protobuf field numbers, and answers recorded from it. Where
documents and recorded answers differ, the recorded ones are followed; what neither tells is said where it is decided.
"""
