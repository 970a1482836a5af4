"""What one sees of images: tables in notebooks, pictures (extra `plot`), and layers of napari.

`channels` chooses colours and grey levels, `overview` makes tables of trees and images, `pictures` and `overlays` draw
with matplotlib, `napari` describes layers to it. Nothing here is needed to work with pixels.
"""
