/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the script of a log's page reads (render/assets/log_data.js). Not a public header. */
#ifndef KT_RENDER_LOG_PAGE_DATA_H
#define KT_RENDER_LOG_PAGE_DATA_H

#include "logparse/last_result.h"
#include "render/log.h"
#include "util/buf.h"
#include "util/error.h"

/* A log of more lines is shown without its middle: so many of its first and of its last. */
#define LOG_PAGE_HEAD 100000
#define LOG_PAGE_TAIL 300000

/*
 * Appends a log as an object of JSON, in one line. Its members:
 *
 *	strings   all texts, each once; others refer to them by number
 *	kinds     a letter a row (KIND in log_page_data.c). A row is a line of the log; without the
 *	          middle one row stands for that
 *	text      a row's string; of an instruction without what is behind it
 *	behind    what is behind it; 0 for nothing, and for all other rows
 *	insns     [string, source or -1, how often it was executed]: different instructions
 *	sources   [string of the line, file, line number or 0, text]: different source lines
 *	dropped   [row, lines] of the middle that is left out; or null
 *	steps     logparse/steps.h: rows, by difference; how many steps back the one is that it
 *	          follows on, 0 for none; frames; how many changes
 *	changes   two numbers each: (frame * 1024 + cell) * 4 + how, and the string of the value.
 *	          Cells: registers from 0, references 11, flags 12, fp-8 13, fp-16 14, ...
 *	loops     five numbers each, rows: where the loop begins, its first iteration ends, its last
 *	          one begins, it ends; and how often it ran (logparse/collapse.h)
 *	about     what --last says; links: [instruction, row] for those that are named in it
 *	why       {class, id, reason, remedies} of logparse/catalog.h; or null
 *	at        the row of the instruction that failed, or -1
 *
 * Errors: KT_ERROR_NO_MEMORY.
 */
struct kt_error *log_page_append_data(struct kt_buf *out, const struct render_log_program *program,
				      const struct kt_log_last *last);

#endif
