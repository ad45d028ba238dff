// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * png_colors FILE RRGGBB...: the width and the height of a picture, how many colours it has, and
 * how many of its pixels are of each of those given. Only for what a browser's screenshot is: eight
 * bits, RGB or RGBA, not interlaced (PNG, 2nd edition).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int paeth(int a, int b, int c)
{
	int pa = abs(b - c), pb = abs(a - c), pc = abs(a + b - 2 * c);

	return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

/* A line of n bytes at p, behind the byte that names its filter; up: the line above. */
static void unfilter(unsigned char *p, const unsigned char *up, size_t n, size_t bpp)
{
	int filter = p[-1];

	for (size_t i = 0; i < n; i++) {
		int a = i >= bpp ? p[i - bpp] : 0, b = up ? up[i] : 0;
		int c = up && i >= bpp ? up[i - bpp] : 0;
		int add[] = {0, a, b, (a + b) / 2, paeth(a, b, c)};

		p[i] = (unsigned char)(p[i] + add[filter < 5 ? filter : 0]);
	}
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* All image data chunks in one; returns their length. */
static size_t gather(const unsigned char *file, size_t len, unsigned char *data)
{
	size_t at = 8, n = 0;

	while (at + 12 <= len && be32(file + at) <= len - at - 12) {
		size_t chunk = be32(file + at);

		if (memcmp(file + at + 4, "IDAT", 4) == 0) {
			memcpy(data + n, file + at + 8, chunk);
			n += chunk;
		}
		at += 12 + chunk;
	}
	return n;
}

int main(int argc, char **argv)
{
	static unsigned char file[32 << 20], data[32 << 20];
	FILE *f = argc > 1 ? fopen(argv[1], "rb") : NULL;
	size_t len = f ? fread(file, 1, sizeof(file), f) : 0, width, height, bpp, n, colors = 0;
	unsigned char *raw;
	uint32_t *pixels;
	uLongf raw_len;

	if (len < 33 || memcmp(file, "\x89PNG\r\n\x1a\n", 8) != 0 || file[24] != 8 ||
	    (file[25] != 2 && file[25] != 6) || file[28])
		return 2;
	width = be32(file + 16);
	height = be32(file + 20);
	bpp = file[25] == 2 ? 3 : 4;
	raw_len = (1 + width * bpp) * height;
	raw = malloc(raw_len);
	pixels = malloc(width * height * sizeof(*pixels));
	n = gather(file, len, data);
	if (!raw || !pixels || uncompress(raw, &raw_len, data, n) != Z_OK)
		return 2;
	for (size_t y = 0; y < height; y++) {
		unsigned char *line = raw + y * (1 + width * bpp) + 1;

		unfilter(line, y ? line - 1 - width * bpp : NULL, width * bpp, bpp);
		for (size_t x = 0; x < width; x++)
			pixels[y * width + x] = be32(line + x * bpp) >> 8;
	}
	qsort(pixels, width * height, sizeof(*pixels), by_value);
	for (size_t i = 0; i < width * height; i++)
		colors += !i || pixels[i] != pixels[i - 1];
	printf("%zu %zu %zu", width, height, colors);
	for (int i = 2; i < argc; i++) {
		uint32_t wanted = (uint32_t)strtoul(argv[i], NULL, 16);
		size_t count = 0;

		for (size_t k = 0; k < width * height; k++)
			count += pixels[k] == wanted;
		printf(" %zu", count);
	}
	putchar('\n');
	return 0;
}
