"""The same view at many scales: pyramid levels, their builder, and the zoom from one zarr array to the next."""
