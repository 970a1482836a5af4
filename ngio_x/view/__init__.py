"""What one sees of images: tables in notebooks, pictures (extra `plot`), and layers of napari.

`overview` makes tables of trees and images, `pictures` and `overlays` draw with matplotlib, `napari` describes layers.
Nothing here is needed to work with pixels.
"""
