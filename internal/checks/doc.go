// Package checks holds the rules that the project keeps about itself, as tests:
// who may import whom, what the production binary is made of, under which
// licences, and that every generated file is what its source makes of it. It has
// no code of its own.
//
// make check runs them; make generate brings the generated files up to date by
// running the same tests with -update.
package checks
