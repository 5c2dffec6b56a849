# libraries.mk: whether the libraries of picture formats are there, and how a
# program is built with them.  Included by Makefiles.
IMAGE_INCLUDES := $(shell pkg-config --cflags libpng libjpeg libopenjp2 2> /dev/null || \
	echo $(patsubst %,-I%,$(firstword $(wildcard /usr/include/openjpeg-2.* /usr/local/include/openjpeg-2.*))))
IMAGE_LIBS = -lpng -ljpeg -lopenjp2
# within a function, some versions of make keep the backslash of \#
hash := \#
IMAGE_LIBRARIES := $(shell printf '%s\n' '$(hash)include <stdio.h>' '$(hash)include <png.h>' '$(hash)include <jpeglib.h>' '$(hash)include <openjpeg.h>' | \
	$(or $(CC),cc) $(IMAGE_INCLUDES) -E - > /dev/null 2>&1 && echo yes)
IMAGE_PACKAGES = libpng-dev libjpeg-dev libopenjp2-7-dev
