"""Numbers and images on their way in: data sets, batches, and the checks before the first step."""

from .folder import Folder
from .image_files import check_folder
from .image_folder import ImageFolder, image_folder

__all__ = ["Folder", "ImageFolder", "check_folder", "image_folder"]
