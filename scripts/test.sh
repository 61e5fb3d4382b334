#!/usr/bin/env bash
# Builds everything and runs every test project. The last line is "N passed, N failed" (and ", N skipped" where any were); before it stands
# how many lines of src/ the tests ran. An argument is a filter, part of a test's full name or an expression of `dotnet test --filter`:
#   scripts/test.sh
#   scripts/test.sh Attribution.Replay
# STAGEAUDIT_COVERAGE=no leaves the counting of lines out, and takes a tenth less.
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
filter=${1:-}
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
export DOTNET_CLI_UI_LANGUAGE=en DOTNET_NOLOGO=1
# Models of tests are small, and tests run side by side: threads inside an operator would only wait for each other.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
# Counting how methods are used, to compile them better, costs more than it brings in processes of seconds.
export DOTNET_TieredPGO=0
passed=0 failed=0 skipped=0

# A hang ends as a crash does, and the log names what ran half as long. It is far longer than any test, so that a slow machine is not taken
# for one.
hang_minutes=30

# Lines are counted in this process only, not in commands that tests start.
coverage=()
count_lines() {
  if [[ ${STAGEAUDIT_COVERAGE:-} == no ]]; then return; fi
  local collector
  collector=$(sed -n 's/.*<Pkgcoverlet_collector[^>]*>\([^<]*\)<.*/\1/p' "$root"/artifacts/obj/LlmStageAudit.Records.Tests/*.nuget.g.props)
  coverage=(--collect "XPlat Code Coverage" --settings "$root/tests/coverage.runsettings" --test-adapter-path "$collector/build/net8.0")
}

# A line counts once, whichever projects' tests ran it.
show_coverage() {
  find "$results" -name coverage.info -exec cat {} + |
    awk -F'[:,]' -v sources="$root/src/" '
      $1 == "SF" { file = index($2, sources) == 1 ? $2 : "" }
      $1 == "DA" && file { all[file, $2]; if ($3 > 0) run[file, $2] }
      END { lines = length(all); if (lines) printf "line coverage of src: %.1f%% (%d of %d)\n", 100 * length(run) / lines, length(run), lines }'
}

# Under the launcher's lock, and with its stamp.
build() {
  local stamp=$root/artifacts/build.stamp
  echo "building ..."
  mkdir -p "$root/artifacts"
  touch "$stamp.test"
  # One compiler for all projects takes half the time; it would wait minutes for more to do.
  if (cd "$root" && flock -o artifacts/build.lock \
    dotnet build LlmStageAudit.slnx -c Release -nologo -v quiet --tl:off -nodeReuse:false -p:UseSharedCompilation=true) \
    >"$results/build.log" 2>&1 </dev/null; then
    dotnet build-server shutdown --vbcscompiler >/dev/null
    mv "$stamp.test" "$stamp"
    return
  fi
  wait
  grep -E ': (error|warning) ' "$results/build.log" | sort -u || cat "$results/build.log"
  echo "the build failed"
  echo "0 passed, 1 failed"
  exit 1
}

# The value of one attribute of the result file's Counters element; 0 where there is no file.
counter() {
  local found
  found=$({ grep -o '<Counters [^>]*' "$1" || true; } 2>/dev/null | sed -n "s/.* $2=\"\([0-9]*\)\".*/\1/p")
  echo "${found:-0}"
}

show_failures() {
  grep -vE '^\[xUnit.*\[(FAIL|SKIP)\]|^\[xUnit.*(Starting|Discover|Finished|Diagnostic)|^ +at (System|Xunit|Microsoft)\.|^  (Skipped|Passed) |^(Starting test|A total of|Results File|Data collector|Passed! |Failed! )|^[[:space:]]*$' "$1" |
    cut -c1-300 | sed -n '1,400s/^/      /p'
}

# Runs one project; says how it went, and leaves "PASSED FAILED SKIPPED" in a file.
run() {
  local name=$1 log=$results/$1.log trx=$results/$1.trx code=0 crash=0 before=$SECONDS counting=("${coverage[@]}")
  # Most of what these run is in commands that they start, and the rest others run as well.
  if [[ $name == *.EndToEnd.Tests ]]; then counting=(); fi
  dotnet test "$root/artifacts/bin/$name/release/$name.dll" --nologo ${filter:+--filter "$filter"} "${counting[@]}" \
    --results-directory "$results" --logger "trx;LogFileName=$name.trx" --logger "console;verbosity=minimal" \
    -- RunConfiguration.TestSessionTimeout=$((hang_minutes * 60000)) xUnit.DiagnosticMessages=true \
    xUnit.LongRunningTestSeconds=$((hang_minutes * 30)) >"$log" 2>&1 </dev/null || code=$?

  local good bad other
  good=$(counter "$trx" passed)
  bad=$(counter "$trx" failed)
  other=$(($(counter "$trx" total) - $(counter "$trx" executed)))
  # A host that died says so, or leaves no counts that explain its exit code.
  if [[ ! -e $trx ]] || ((code != 0 && bad == 0)) || grep -q '^Test Run Aborted' "$log"; then crash=1; fi

  local mark=ok said="$good passed" failures=
  if ((bad + crash > 0)); then mark=FAIL said+=", $bad failed"; fi
  if ((crash > 0)); then said+=", CRASHED"; fi
  if ((other > 0)); then said+=", $other skipped"; fi
  if ((good + bad + other + crash == 0)); then mark=-- said="no tests"; fi
  if [[ $mark == FAIL ]]; then failures=$(show_failures "$log"); fi
  printf '%-4s  %-36s  %s  (%d s)\n%s' "$mark" "$name" "$said" $((SECONDS - before)) "${failures:+$failures$'\n'}"
  echo "$good $((bad + crash)) $other" >"$results/$name.counts"
}

# Two projects at a time: in most of them tests run one after the other, since they count what is alive in their process.
run_all() {
  local name
  for name in "$@"; do
    while (($(jobs -rp | wc -l) >= 2)); do wait -n; done
    run "$name" &
  done
  wait
  local good bad other
  for name in "$@"; do
    read -r good bad other <"$results/$name.counts"
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + other))
  done
}

# Reasons of skipped tests, each with how many it kept from running.
show_skipped() {
  echo "skipped:"
  cat "$results"/*.trx |
    awk '/<UnitTestResult /{ skipped = /outcome="NotExecuted"/ }
      skipped && /<Message>/{ sub(/.*<Message>/, ""); sub(/<\/Message>.*/, ""); print; skipped = 0 }' |
    sed 's/&lt;/</g; s/&gt;/>/g; s/&quot;/"/g; s/&amp;/\&/g' | sort | uniq -c | sort -rn
}

"$root/scripts/setup.sh"
# What only tests use comes while the build runs, which does not fill two cores.
"$root/scripts/setup.sh" --tests &
build
wait
count_lines
run_all $(cd "$root/tests" && echo *.Tests)
if ((skipped > 0)); then show_skipped; fi
show_coverage

if ((passed + failed == 0)); then echo "no test ran"; fi
summary="$passed passed, $failed failed"
if ((skipped > 0)); then summary+=", $skipped skipped"; fi
echo "$summary"
((failed == 0 && passed > 0))
