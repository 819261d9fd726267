# SPDX-License-Identifier: Apache-2.0
# Part of program_test.sh, which sources it: masks of a head that moved. Uses its functions, case.h5 and case_options.

moving=("${case_options[@]}" --motion-mm 2 1 -1)
expect 0 "simulate a head that moved" simulate --output moved.h5 --save-intensity --quiet "${moving[@]}"
expect 0 align align moved.h5 --output aligned.h5
says align '^moved the masks of 2[0-4] of 24 views, their corners by 0\.[0-9]* pixels on average and [01]\.[0-9]* at the most \(view [0-9]*\), turned them by up to [0-9.e-]* degrees; took away a residue of 0\.[0-9]* \(root mean square\), left out [0-9.]* % of the pixels$' out.txt
extents() { h5dump -H -d "$1" aligned.h5 | grep -o 'SIMPLE { ( [0-9, ]* )'; }
[ "$(extents /residue)" = "$(extents /projections)" ] || report "align: a residue of $(extents /residue)"
[ "$(extents /mask_motions)" = 'SIMPLE { ( 24, 4 )' ] || report "align: motions of $(extents /mask_motions)"
expect 0 "what align wrote is an acquisition" inspect aligned.h5 --json
says "what align wrote is an acquisition" '"views": *24' out.txt
expect 2 "an aligned case that is there" align moved.h5 --output aligned.h5
says "an aligned case that is there" '--output: expected a new file \(or --force\), found one that is there: aligned.h5'
expect 0 "align again, one thread" align moved.h5 --output aligned_alone.h5 --quiet --threads 1
cmp -s aligned.h5 aligned_alone.h5 || report "align: other bits with one thread"
expect 0 "align the training views" align moved.h5 --output aligned.h5 --views train --leave-out 1e9 --force
says "align the training views" '^moved the masks of [78] of 8 views' out.txt
expect 2 "masks that are gone" align case.h5 --output new.h5
says "masks that are gone" 'case.h5: /projections@quantity: expected "intensity", with masks in /mask_projections, found "line_integral"'
expect 2 "masks that are far away" align moved.h5 --output new.h5 --largest-px 0.01
says "masks that are far away" 'moved.h5: /mask_projections: expected a mask that fits its view when its corners move by at most 0.01 pixels, found view [0-9]+, whose mask fits best when they move by [0-9.]+$'
expect 2 "no view to align" align moved.h5 --output new.h5 --views 24
expect 2 "align with NaN" align moved.h5 --output new.h5 --leave-out nan
says "align with NaN" '--leave-out: expected a positive number, found nan'
expect 0 "simulate a head that stayed" simulate --output still.h5 --save-intensity --quiet "${case_options[@]}"
expect 0 "masks that lie right" align still.h5 --output still_aligned.h5
says "masks that lie right" '^none of the masks of 24 views fits better where it is moved$' out.txt
expect 0 "inspect masks that lie right" inspect still_aligned.h5
says "inspect masks that lie right" '^masks_moved +in 0 views' out.txt
absent new.h5
