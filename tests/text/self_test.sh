#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# self_test.sh FOLDER: makes a small repository in FOLDER that check.sh accepts, then one with a fault of each
# kind, all of which and nothing else it must name.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
mkdir -p "$1"
cd "$1"

mkdir -p good/{docs,kernels/blur,libdsasrgs,examples,tests}
cd good
cat >docs/method.md <<'END'
## 1. Model
As section 2 says, `training.steps` is a field and `field.grid3d.levels` too.
## 2. Training
END
cat >docs/operators.md <<'END'
| operator | computes | formulas |
|---|---|---|
| blur | docs/method.md sections 1 and 2 | blur_math.hpp |
END
cat >docs/testing.md <<'END'
| test | what |
|---|---|
| `cp*` | tests/*_test.cpp, tag `[blur]`, kernels/<op>/<op>_math.hpp; `cmake --preset release`, DSASRGS_CUDA, build/tests/all_tests |
END
cat >docs/program.md <<'END'
| subcommand | makes |
|---|---|
| `render` | [a picture](method.md) with `--scale` |

```
dsasrgs render model.h5 --scale 2 \
  --output picture.png            a picture
```
```cpp
int answer = 42;
```
END
printf '```python\nanswer = 42\n```\n' >docs/data-format.md
printf '// blur_math.hpp, kernels/blur/blur_math.hpp (method.md\n// section 2).\n' >kernels/blur/blur_math.hpp
cat >libdsasrgs/config_fields.hpp <<'END'
  v.section("training", [&] {
    v.field("steps", c.training.steps);
  });
  v.section("field", [&] {
    const auto grid = [&](const char* name, auto& g) {
        v.field("levels", g.levels);
    };
    grid("grid3d", c.field.grid3d);
  });
END
printf 'int answer = 42;\n' >examples/answer.cpp
printf 'TEST_CASE("blur", "[blur]") {}\n' >tests/blur_test.cpp
printf 'option(DSASRGS_CUDA)\nadd_executable(all_tests)\n' >CMakeLists.txt
printf '{"name": "release"}\n' >CMakePresets.json
cd ..
printf 'cpu\n' >test_names
cat >program <<'END'
#!/usr/bin/env bash
case "$1" in
  --help) printf 'Subcommands:\n  render   a picture\n' ;;
  render) printf '  --scale INT\n  --output FILE\n' ;;
  *) exit 2 ;;
esac
END
chmod +x program

check() { bash "$here/check.sh" "$PWD/$1" "$PWD/test_names" "$PWD/program"; }
check good || { echo "check.sh finds a fault where there is none" >&2; exit 1; }

# planted FILE TEXT MESSAGE: TEXT goes to the end of FILE, and MESSAGE must come of it.
cp -r good bad
planted() {
  printf '%s\n' "$2" >>"bad/$1"
  printf '%s\n' "$3" >>messages
}
planted kernels/blur/blur_math.hpp '// As method.md section 7 has it.' 'kernels/blur/blur_math.hpp:3: docs/method.md has no section 7'
planted kernels/blur/blur_math.hpp $'// As method.md\n// sections 1 and 4 have it.' 'blur_math.hpp:4: docs/method.md has no section 4'
planted docs/method.md 'See section 3.' 'docs/method.md:4: docs/method.md has no section 3'
planted docs/testing.md '| `cuda` | the same |' 'ctest has no test cuda'
planted docs/testing.md 'tests/headers has it.' 'there is no tests/headers'
planted docs/testing.md 'tests/blur_*_oracle.hpp have it.' 'there is no tests/blur_*_oracle.hpp'
planted kernels/blur/blur_math.hpp '// Run by tests/emulation/sanitizer_test.sh.' 'there is no tests/emulation/sanitizer_test.sh'
planted kernels/blur/blur_math.hpp '// The formulas are in blurr_math.hpp.' 'there is no file blurr_math.hpp'
planted kernels/blur/blur_math.hpp '// As common/gaussian_math.hpp has it.' 'there is no common/gaussian_math.hpp'
planted docs/program.md '[more](more.md)' "the link's more.md is not there"
planted docs/method.md '`training.step` is none.' 'the configuration has no field training.step'
planted docs/method.md '`field.grid3d.level` is none.' 'the configuration has no field field.grid3d.level'
planted docs/testing.md '`-DDSASRGS_CUDDA=ON`' 'nothing but documents knows DSASRGS_CUDDA'
planted docs/testing.md '`cmake --preset fast`' 'CMakePresets.json has no fast'
planted docs/testing.md 'cmake --build build --target bundle' 'CMake has no target bundle'
planted docs/testing.md 'build/tests/blur_tests' 'CMake makes no program blur_tests'
planted docs/testing.md 'dsasrgs_tests "[sharpen]"' 'no test has the tag [sharpen]'
planted docs/operators.md '| soften | the other way | – |' 'there is no operator soften'
planted docs/operators.md '| blur | twice | sharpen_math.hpp |' 'sharpen_math.hpp is neither in kernels/blur/'
planted docs/program.md $'```cpp\nint answer = 43;\n```' 'this C++ is in no source'
planted docs/program.md '`dsasrgs render model.h5 --size 2`' 'dsasrgs render has no option --size'
planted docs/program.md '`dsasrgs paint model.h5`' 'dsasrgs has no subcommand paint'
planted kernels/blur/blur_math.hpp '// dsasrgs render --size 2' 'dsasrgs render has no option --size'
planted docs/program.md 'It has a 12-line Python writer.' 'the first Python of docs/data-format.md has 1 lines'
planted docs/program.md 'It takes `--colour` too.' 'nothing has an option --colour'
planted tests/run.sh 'yes | gr''ep -q y' 'tests/run.sh:1: a pipe into grep -q'
printf 'there is no file %s\n' sharpen_math.hpp more.md >>messages  # these two are seen twice
mkdir bad/kernels/sharpen
touch bad/kernels/sharpen/sharpen.hpp
echo 'no row for the operator sharpen' >>messages
echo cuda_emulated >>test_names
echo 'no row for the test cuda_emulated' >>messages

if check bad >found 2>&1; then echo "check.sh finds no fault at all" >&2; exit 1; fi
failed=0
while read -r message; do
  grep -qF -- "$message" found || { echo "not found: $message" >&2; failed=1; }
done <messages
if [ $failed -eq 1 ] || [ "$(wc -l <found)" -ne "$(wc -l <messages)" ]; then
  echo "of $(wc -l <messages) planted faults:" >&2
  cat found >&2
  exit 1
fi
