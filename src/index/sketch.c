/*
 * sketch.c
 *		Sketch pages: where they are, and what lies on them.
 *
 * Block b is the first of a group, and so a sketch page, if b - 1 is a multiple of
 * group_pages + 1, unless CREATE INDEX has put leaves and directory there.  The
 * sketches are about so small that those of a full group fit on its page.  If
 * they do not, there is room in the group that is not used.
 */
#include "postgres.h"

#include "index/index.h"
#include "storage/bufpage.h"

bool
sketch_is_at(const BiometricMetaPageData *meta, BlockNumber block)
{
	return block >= BIOMETRIC_FIRST_BLOCK &&
		   (block - BIOMETRIC_FIRST_BLOCK) % (meta->group_pages + 1) == 0 &&
		   (block < meta->words_start || block >= meta->words_end);
}

BlockNumber
sketch_block_of(const BiometricMetaPageData *meta, BlockNumber block)
{
	return block - (block - BIOMETRIC_FIRST_BLOCK) % (meta->group_pages + 1);
}

bool
gallery_may_be_at(const BiometricMetaPageData *meta, BlockNumber block)
{
	return block >= BIOMETRIC_FIRST_BLOCK &&
		   (block - BIOMETRIC_FIRST_BLOCK) % (meta->group_pages + 1) != 0 &&
		   (block < meta->words_start || block >= meta->words_end);
}

void
sketch_check_page(Relation index, BlockNumber block, Page page)
{
	if (!PageIsNew(page) &&
		!item_page_check(index, block, page, BIOMETRIC_SKETCH_PAGE, SKETCH_PAGE_MAX_ENTRIES))
		biometric_page_corrupted(index, block, "It is not a sketch page of a biometric index.");
}

int
sketch_page_entries(Page page)
{
	return PageIsNew(page) ? 0 : PageGetMaxOffsetNumber(page);
}

SketchEntry
sketch_page_entry(Relation index, const BiometricMetaPageData *meta, BlockNumber block, Page page,
				  OffsetNumber i, Size *sketch_size)
{
	Size        length;
	SketchEntry sketch = item_page_entry(page, i, SKETCH_ENTRY_HEADER, &length);

	if (sketch == NULL)
		biometric_page_corrupted(index, block, "A sketch lies outside of the page's data.");
	*sketch_size = length - SKETCH_ENTRY_HEADER;
	if (sketch->page >= meta->group_pages || sketch->offset == 0 ||
		sketch->offset > GALLERY_TEMPLATE_OFFSETS)
		biometric_page_corrupted(index, block, "A sketch has an invalid header.");
	return sketch;
}

SketchEntry
sketch_form_entry(const BiometricModality *modality, GalleryEntry entry, Size entry_size,
				  Size *size)
{
	SketchEntry sketch = palloc0(SKETCH_ENTRY_HEADER + modality->max_sketch_size);

	*size = SKETCH_ENTRY_HEADER;
	if (modality->sketch != NULL)
		*size +=
			modality->sketch(entry->features, entry_size - GALLERY_ENTRY_HEADER, sketch->sketch);
	return sketch;
}

Size
sketch_page_room(Page page)
{
	if (PageIsNew(page))
		return GALLERY_ENTRY_MAX_SIZE;
	return PageGetMaxOffsetNumber(page) < SKETCH_PAGE_MAX_ENTRIES ? PageGetFreeSpace(page) : 0;
}

/* An entry is about group_pages times as large as its sketch */
Size
sketch_limit_room(const BiometricMetaPageData *meta, Page sketch_page, Size gallery_room)
{
	return Min(gallery_room, sketch_page_room(sketch_page) * meta->group_pages);
}

void
sketch_page_add(Relation index, const BiometricMetaPageData *meta, Page page, SketchEntry sketch,
				Size size, BlockNumber block, OffsetNumber offset)
{
	sketch->page = block - sketch_block_of(meta, block) - 1;
	sketch->offset = offset;
	if (PageAddItem(page, (Item) sketch, size, PageGetMaxOffsetNumber(page) + 1, false, false) ==
		InvalidOffsetNumber)
		biometric_page_corrupted(index, sketch_block_of(meta, block),
								 "A sketch does not fit where there is room.");
}

/* If there is none, the index is damaged, which must not keep vacuum from going on */
void
sketch_page_remove(Relation index, const BiometricMetaPageData *meta, BlockNumber sketch_block,
				   Page page, BlockNumber block, OffsetNumber offset)
{
	for (OffsetNumber i = sketch_page_entries(page); i >= FirstOffsetNumber; i--)
	{
		Size        size;
		SketchEntry sketch = sketch_page_entry(index, meta, sketch_block, page, i, &size);

		if (sketch->page == block - sketch_block - 1 && sketch->offset == offset)
			PageIndexTupleDelete(page, i);
	}
}
