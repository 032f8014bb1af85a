"""The second wall: row-level security of PostgreSQL, so that a forgotten filter shows no other clinic's rows.

Each table answers only for the clinic that is named in a setting of the connection. The setting carries a seal that
only this server can make, so SQL that slipped in somewhere cannot name another clinic. Nothing named: no rows.

* ``standing``: who asks, told to the connection and taken back
* ``seal``: the settings and how they are sealed
* ``policies``: what each table asks, made from the registry of models
* ``keeping``: builds and renews the wall, grants the server's role what it needs, looks whether all stands

SQLite has no such thing: there the filters of the queries stand alone.
"""
