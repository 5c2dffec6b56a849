# libraries.mk: whether the libraries of picture formats are there, and how a
# program is built with them.  Included by Makefiles.
IMAGE_INCLUDES := $(shell pkg-config --cflags libpng libjpeg libopenjp2 2> /dev/null || \
	echo $(patsubst %,-I%,$(firstword $(wildcard /usr/include/openjpeg-2.* /usr/local/include/openjpeg-2.*))))
IMAGE_LIBS = -lpng -ljpeg -lopenjp2
IMAGE_LIBRARIES := $(shell printf '\#include <stdio.h>\n\#include <png.h>\n\#include <jpeglib.h>\n\#include <openjpeg.h>\n' | \
	$(or $(CC),cc) $(IMAGE_INCLUDES) -E - > /dev/null 2>&1 && echo yes)
IMAGE_PACKAGES = libpng-dev libjpeg-dev libopenjp2-7-dev
